/**
 * One visit to a machine with a GPU: builds, runs the tests of the library there (known answers, every operation decrypted),
 * measures, and writes JSON, in under eight minutes.
 *
 *     deno run -A tools/gpu_run.ts [FILE]
 *
 * Default of FILE: `build/gpu_run.json`. Steps that the time no longer allows are named as skipped. Exit code 1 when a step failed; without a GPU 0, and the file says why.
 */
import { fileURLToPath } from "node:url";
import { isSottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { buildCuda } from "./build_cuda.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const LIMIT_MS = 8 * 60_000;

/** What is run, in this order; `ms`: no step starts when less than that is left. */
export const STEPS: readonly { readonly name: string; readonly ms: number; readonly args: readonly string[] }[] = [
  { name: "conformance", ms: 60_000, args: ["test", "-A", "ffi/"] },
  { name: "kernels", ms: 90_000, args: bench("kernels") },
  { name: "network", ms: 90_000, args: bench("network") },
  { name: "finetune", ms: 90_000, args: bench("finetune") },
];

function bench(suite: string): string[] {
  return ["run", "-A", "bench/main.ts", suite, "--quick", "--backend", "cuda", "--json", `build/gpu_${suite}.json`];
}

/** What became of a step. */
export interface StepReport {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** The last lines of what it wrote, or why it was skipped. */
  readonly text: string;
  /** What `bench --json` wrote. */
  readonly report?: unknown;
}

/** Runs the steps within the time; `run` starts one and gives its exit code and text. */
export async function runSteps(
  run: (args: readonly string[], limitMs: number) => Promise<{ code: number; text: string }>,
  now: () => number = performance.now.bind(performance),
  limitMs = LIMIT_MS,
): Promise<StepReport[]> {
  const start = now(), reports: StepReport[] = [];
  for (const { name, ms, args } of STEPS) {
    const begun = now(), left = limitMs - (begun - start);
    if (left < ms) {
      reports.push({ name, outcome: "skipped", seconds: 0, text: `${Math.round(left / 1000)} s are left` });
      continue;
    }
    const { code, text } = await run(args, left);
    const seconds = Math.round((now() - begun) / 100) / 10;
    reports.push({ name, outcome: code === 0 ? "passed" : "failed", seconds, text: text.slice(-4000) });
  }
  return reports;
}

async function runDeno(args: readonly string[], limitMs: number): Promise<{ code: number; text: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    env: { SOTTO_BACKEND: "cuda" },
    signal: AbortSignal.timeout(limitMs),
  });
  const { code, stdout, stderr } = await command.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function withReport(step: StepReport): Promise<StepReport> {
  if (step.outcome === "skipped" || step.name === "conformance") return step;
  const text = await Deno.readTextFile(`${root}build/gpu_${step.name}.json`).catch(() => "");
  return text === "" ? step : { ...step, report: JSON.parse(text) };
}

/** The device's name, or why there is none. */
function findGpu(): { readonly gpu?: string; readonly missing?: string } {
  try {
    const backend = openBackend({ backend: "cuda", threads: 1 });
    backend.close();
    return { gpu: backend.name };
  } catch (error) {
    if (isSottoError(error)) return { missing: error.message };
    throw error;
  }
}

async function main(file = `${root}build/gpu_run.json`): Promise<number> {
  const start = performance.now();
  await buildCuda(console.error);
  const built = performance.now() - start, found = findGpu();
  const steps = found.gpu === undefined
    ? []
    : await Promise.all((await runSteps(runDeno, undefined, LIMIT_MS - built)).map(withReport));
  await Deno.writeTextFile(
    file,
    JSON.stringify({ ...found, buildSeconds: Math.round(built / 1000), steps }, null, 2) + "\n",
  );
  console.log(found.missing ?? steps.map((step) => `${step.name}: ${step.outcome}, ${step.seconds} s`).join("\n"));
  return steps.some((step) => step.outcome === "failed") ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(...Deno.args));
