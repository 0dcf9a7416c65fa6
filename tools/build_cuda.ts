/**
 * Builds the kernels with GPUs into `build/cuda/`: the same library, and CUDA code for sm_80, sm_90 and sm_100, with PTX for others.
 *
 *     deno task build:cuda
 *
 * Takes nvcc from the path, or from PyPI's wheels in a virtual environment under `build/cuda/venv`. No GPU is needed.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
export const CUDA_FOLDER = `${root}build/cuda`;
const VENV = `${CUDA_FOLDER}/venv`;
const WHEELS = [
  "nvidia-cuda-nvcc==13.0.88",
  "nvidia-cuda-crt==13.0.88",
  "nvidia-nvvm==13.0.88",
  "nvidia-cuda-runtime==13.0.96",
  "nvidia-cuda-cccl==13.0.85",
];

/** A CUDA compiler and the folder that has its `lib`. */
export interface Toolkit {
  readonly nvcc: string;
  readonly root: string;
}

/** The toolkit on the path or in the virtual environment; undefined when there is neither. */
export async function findToolkit(): Promise<Toolkit | undefined> {
  const installed = await onPath("nvcc");
  if (installed !== undefined) return toolkitAt(installed);
  const [wheel] = nvccOfWheels();
  return wheel === undefined ? undefined : toolkitAt(wheel);
}

/** Installs the wheels. */
async function installToolkit(log: (line: string) => void): Promise<Toolkit> {
  log("installing CUDA's compiler from PyPI (270 MB)");
  await run("python3", ["-m", "venv", VENV]);
  await run(`${VENV}/bin/pip`, ["install", "--quiet", "--no-deps", ...WHEELS]);
  const [nvcc] = nvccOfWheels();
  if (nvcc === undefined) throw new SottoError("library_missing", `the wheels have no nvcc below ${VENV}`);
  return toolkitAt(nvcc);
}

/** Builds the library; returns its path. Throws `library_missing` with the compiler's words when it fails. */
export async function buildCuda(log: (line: string) => void = () => {}): Promise<string> {
  const toolkit = await findToolkit() ?? await installToolkit(log);
  log(`compiling with ${toolkit.nvcc}`);
  const options = [`-DSOTTO_NVCC=${toolkit.nvcc}`, `-DSOTTO_CUDA_ROOT=${toolkit.root}`];
  await run("cmake", ["-S", `${root}kernels`, "-B", CUDA_FOLDER, ...options]);
  await run("cmake", [
    "--build",
    CUDA_FOLDER,
    "--parallel",
    String(navigator.hardwareConcurrency),
    "--target",
    "sotto",
  ]);
  return `${CUDA_FOLDER}/libsotto.so`;
}

function nvccOfWheels(): string[] {
  const lib = join(VENV, "lib");
  if (!existsSync(lib)) return [];
  return [...Deno.readDirSync(lib)].map(({ name }) => join(lib, name, "site-packages/nvidia/cu13/bin/nvcc")).filter(
    existsSync,
  );
}

/** Wheels keep the runtime in `lib`, a toolkit of the system in `lib64` or `targets` of the platform. */
function toolkitAt(nvcc: string): Toolkit {
  const home = dirname(dirname(Deno.realPathSync(nvcc)));
  const candidates = [home, join(home, "targets/x86_64-linux"), join(home, "targets/sbsa-linux")];
  const found = candidates.find((folder) => existsSync(join(folder, "lib/libcudart_static.a"))) ??
    (existsSync(join(home, "lib64/libcudart_static.a")) ? home : undefined);
  if (found === undefined) throw new SottoError("library_missing", `no libcudart_static.a beside ${nvcc}`);
  return { nvcc, root: found };
}

async function onPath(program: string): Promise<string | undefined> {
  const output = await new Deno.Command("which", { args: [program], stdout: "piped", stderr: "null" }).output()
    .catch(() => undefined);
  return output?.success ? new TextDecoder().decode(output.stdout).trim() : undefined;
}

async function run(command: string, args: string[]): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, { args, stdout: "piped", stderr: "piped" }).output();
  } catch (cause) {
    throw new SottoError("library_missing", `${command} was not found: it is needed to build for GPUs`, { cause });
  }
  if (output.success) return;
  const text = new TextDecoder();
  const words = `${text.decode(output.stdout)}\n${text.decode(output.stderr)}`.trim();
  throw new SottoError("library_missing", `${command} ${args.join(" ")} failed:\n${words}`);
}

if (import.meta.main) console.log(`built ${await buildCuda(console.log)}`);
