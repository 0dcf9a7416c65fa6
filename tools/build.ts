/**
 * Builds the native kernels with CMake into `build/` (library, tests; nothing is installed).
 *
 *     deno task build [--sanitize] [--target NAME]
 */
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface BuildOptions {
  /** Address and undefined-behaviour sanitizers, in a folder of its own. */
  readonly sanitize?: boolean;
  /** Builds only this target; default: the library and the tests. */
  readonly target?: string;
  /** Receives one line a step. */
  readonly log?: (line: string) => void;
}

/** The folder a build goes to. */
export function buildFolder(options: BuildOptions = {}): string {
  return `${root}build/kernels${options.sanitize ? "-sanitize" : ""}`;
}

/** Configures and builds; returns the folder. Throws `library_missing` with the compiler's words when it fails. */
export async function buildKernels(options: BuildOptions = {}): Promise<string> {
  const folder = buildFolder(options);
  const log = options.log ?? (() => {});
  log("configuring the kernels (CMake)");
  await cmake(["-S", `${root}kernels`, "-B", folder, `-DSOTTO_SANITIZE=${options.sanitize ? "ON" : "OFF"}`]);
  log("compiling the kernels");
  const target = options.target ? ["--target", options.target] : [];
  await cmake(["--build", folder, "--parallel", String(navigator.hardwareConcurrency), ...target]);
  return folder;
}

async function cmake(args: string[]): Promise<void> {
  const output = await runCmake(args).catch((cause) => {
    throw new SottoError("library_missing", "cmake was not found: install CMake 3.20 or newer and a C++20 compiler", {
      cause,
    });
  });
  if (output.success) return;
  const text = new TextDecoder();
  const words = `${text.decode(output.stdout)}\n${text.decode(output.stderr)}`.trim();
  throw new SottoError("library_missing", `building the kernels failed (cmake ${args.join(" ")}):\n${words}`);
}

/** Asynchronous, so that a missing program is a rejection. */
async function runCmake(args: string[]): Promise<Deno.CommandOutput> {
  return await new Deno.Command("cmake", { args, stdout: "piped", stderr: "piped" }).output();
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--target");
  const target = at < 0 ? undefined : Deno.args[at + 1];
  const folder = await buildKernels({ sanitize: Deno.args.includes("--sanitize"), target, log: console.log });
  console.log(`built in ${folder}`);
}
