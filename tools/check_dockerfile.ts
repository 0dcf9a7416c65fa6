/**
 * Carries out the steps of the Dockerfile in clean folders, without a container engine, and starts what they leave: as the file's user,
 * on a root that cannot be written, until its health check passes; then stops it.
 *
 *     deno run -A tools/check_dockerfile.ts
 *
 * What this cannot show: that the base images have what the steps take for granted. Programs and libraries of this machine stand in
 * for theirs, so the libraries that the result opens are compared with those of the base image's release.
 */
import { fileURLToPath } from "node:url";
import { buildImage, type Image } from "./dockerfile/build_image.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Shared libraries that Debian's slim images have. */
const BASE_LIBRARIES = [
  "linux-vdso",
  "ld-linux-x86-64",
  "libc",
  "libdl",
  "libgcc_s",
  "libm",
  "libpthread",
  "librt",
  "libstdc++",
];
const HEALTHY_SECONDS = 120;
const PROGRAMS = ["/usr/local/bin/deno", "/sotto/lib/libsotto.so"];

async function output(command: Deno.Command): Promise<{ success: boolean; words: string }> {
  const { success, stdout, stderr } = await command.output();
  return { success, words: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

function inside(image: Image, command: readonly string[], more: Record<string, string>): Deno.Command {
  const { root, directory, user, volume } = image;
  const environment = { ...image.environment, ...more };
  return root.command(command, { directory, user, volume, environment, readOnly: true });
}

async function checkLibraries(image: Image): Promise<void> {
  for (const program of PROGRAMS) {
    const { words } = await output(new Deno.Command("ldd", { args: [image.root.path(program)] }));
    for (const line of words.trim().split("\n")) {
      const name = line.trim().split(/[\s.]/)[0].split("/").at(-1)!;
      const library = line.includes("ld-linux") ? "ld-linux-x86-64" : name;
      if (!BASE_LIBRARIES.includes(library)) {
        throw new Error(`${program} needs ${line.trim()}, which the base image lacks`);
      }
    }
  }
}

function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return String(listener.addr.port);
}

/** Starts the image's command, waits for its health check, and stops it as an engine would. */
async function checkRunning(image: Image): Promise<void> {
  const settings = { SOTTO_PORT: freePort(), SOTTO_HOST: "127.0.0.1" };
  const server = inside(image, [...image.entrypoint, ...image.command], settings).spawn();
  const words = Promise.all([server.stdout.text(), server.stderr.text()]);
  try {
    await becomesHealthy(image, settings, server);
    const { words: status } = await output(new Deno.Command("cat", { args: [`/proc/${server.pid}/status`] }));
    if (!/^Uid:\s+65534\s+65534/m.test(status)) throw new Error("the server does not run as the user of the image");
    const written = await output(inside(image, ["touch", "/sotto/written"], {}));
    if (written.success) throw new Error("the root of the image can be written");
  } catch (error) {
    server.kill("SIGKILL");
    throw new Error(`${error instanceof Error ? error.message : error}\n${(await words).join("")}`);
  }
  server.kill("SIGTERM");
  const { code } = await server.status;
  if (code !== 0) throw new Error(`the server ended with ${code} when it was stopped:\n${(await words).join("")}`);
}

async function becomesHealthy(
  image: Image,
  settings: Record<string, string>,
  server: Deno.ChildProcess,
): Promise<void> {
  const started = performance.now();
  let [ended, last] = [false, ""];
  server.status.then(() => ended = true);
  while (!ended && performance.now() - started < HEALTHY_SECONDS * 1000) {
    const { success, words } = await output(inside(image, image.healthcheck, settings));
    if (success) return;
    last = words;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`the server ${ended ? "ended" : "is not healthy"}: ${last}`);
}

/** Builds and runs; throws what is wrong. */
export async function checkDockerfile(log: (line: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-image-" });
  try {
    const image = await buildImage(root, folder, log);
    await checkLibraries(image);
    await checkRunning(image);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await checkDockerfile(console.log);
  console.log("the image builds, starts as its user on a read-only root, becomes healthy and stops");
}
