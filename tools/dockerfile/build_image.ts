/** Carries out the steps of a Dockerfile, stage by stage, without a container engine. */
import dockerignore from "@balena/dockerignore";
import { dirname, join } from "node:path";
import { readDockerfile, type Stage, type Step } from "./instructions.ts";
import { StageRoot } from "./stage_root.ts";

/** What the last stage leaves, and how a container of it would run. */
export interface Image {
  readonly root: StageRoot;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly user: string;
  readonly volume: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/** Builds the Dockerfile of `context` below `folder`. `log` gets one line a step. Throws with the words of a step that fails. */
export async function buildImage(context: string, folder: string, log: (line: string) => void): Promise<Image> {
  const stages = readDockerfile(await Deno.readTextFile(join(context, "Dockerfile")));
  const roots = new Map<string, StageRoot>();
  let image: Image | undefined;
  for (const stage of stages) {
    const root = await StageRoot.make(join(folder, stage.name));
    roots.set(stage.name, root);
    image = await new StageBuild(context, roots, root, log).run(stage);
  }
  if (image === undefined) throw new Error("the Dockerfile has no stage");
  return image;
}

/** The package's types name a default export, which a CommonJS module has not. */
const makeFilter = dockerignore as unknown as () => { add(text: string): { ignores(path: string): boolean } };

class StageBuild {
  readonly #environment: Record<string, string> = {};
  readonly #said = { entrypoint: [] as string[], cmd: [] as string[], healthcheck: [] as string[] };
  readonly #values = { workdir: "/", user: "", volume: "", expose: "" };

  constructor(
    private readonly context: string,
    private readonly roots: ReadonlyMap<string, StageRoot>,
    private readonly root: StageRoot,
    private readonly log: (line: string) => void,
  ) {}

  async run(stage: Stage): Promise<Image> {
    for (const step of stage.steps) await this.#step(stage, step);
    const { workdir: directory, user, volume } = this.#values;
    const { entrypoint, cmd: command, healthcheck } = this.#said;
    return {
      root: this.root,
      environment: this.#environment,
      directory,
      user,
      volume,
      entrypoint,
      command,
      healthcheck,
    };
  }

  async #step(stage: Stage, step: Step): Promise<void> {
    if (step.kind === "env") Object.assign(this.#environment, step.values);
    else if ("command" in step) this.#said[step.kind] = step.command;
    else if ("value" in step) {
      this.#values[step.kind] = step.value;
      if (step.kind === "workdir") await Deno.mkdir(this.root.path(step.value), { recursive: true });
    } else await this.#build(stage, step);
  }

  async #build(stage: Stage, step: Extract<Step, { kind: "run" | "copy" }>): Promise<void> {
    const started = performance.now();
    if (step.kind === "run") await this.#script(step.script);
    else await this.#copy(step);
    const what = step.kind === "run" ? step.script.split("\n")[0] : `COPY ${step.paths.join(" ")}`;
    this.log(`${stage.name}: ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  }

  async #script(script: string): Promise<void> {
    const options = { directory: this.#values.workdir, environment: this.#environment };
    const { success, stdout, stderr } = await this.root.command(["sh", "-c", script], options).output();
    const text = new TextDecoder();
    if (!success) throw new Error(`RUN ${script}\nfailed:\n${text.decode(stdout)}${text.decode(stderr)}`);
  }

  async #copy({ from, owner, paths, to }: Extract<Step, { kind: "copy" }>): Promise<void> {
    const target = this.root.path(join(this.#values.workdir, to));
    for (const path of paths) {
      if (from !== undefined) await copyTree(this.roots.get(from)!.path(path), target);
      else await this.#copyContext(path, paths.length > 1 || to.endsWith("/") ? join(target, path) : target);
    }
    if (owner !== undefined) await mustRun("chown", ["-R", owner, target]);
  }

  /** Files of the build's context, without those that .dockerignore names. */
  async #copyContext(path: string, target: string): Promise<void> {
    const ignored = makeFilter().add(await Deno.readTextFile(join(this.context, ".dockerignore")));
    for await (const file of filesBelow(this.context, path === "." ? "" : path)) {
      if (ignored.ignores(file)) continue;
      const place = path === "." ? join(target, file) : join(target, file.slice(path.length));
      await Deno.mkdir(dirname(place), { recursive: true });
      await Deno.copyFile(join(this.context, file), place);
    }
  }
}

/** Never part of a context, and too large to look through. */
const SKIPPED = ["node_modules", "build", "data", ".git", ".venv", ".cache"];

async function* filesBelow(root: string, path: string): AsyncGenerator<string> {
  if ((await Deno.stat(join(root, path))).isFile) return yield path;
  for await (const { name, isDirectory, isFile } of Deno.readDir(join(root, path))) {
    const below = path === "" ? name : `${path}/${name}`;
    if (isDirectory && !(path === "" && SKIPPED.includes(name))) yield* filesBelow(root, below);
    else if (isFile) yield below;
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await mustRun("cp", ["-a", "-T", from, to]);
}

async function mustRun(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
