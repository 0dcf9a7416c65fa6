/**
 * `deno task bench`: measures this machine, prints a table and writes JSON. Nothing here passes or fails by a time; a wrong answer fails.
 * What the names mean: `bench/README.md`.
 */
import { Argument, Command, CommanderError, InvalidArgumentError } from "commander";
import { isSottoError, SottoError } from "../errors.ts";
import { openBackend } from "../ffi/mod.ts";
import { buildKernels } from "../tools/build.ts";
import { finetuneSuite } from "./finetune_suite.ts";
import { kernelsSuite } from "./kernels_suite.ts";
import { currentCommit, describeMachine } from "./machine.ts";
import { networkSuite } from "./network_suite.ts";
import { type Report, type Result, resultTable } from "./results.ts";
import { serviceSuite } from "./service_suite.ts";
import type { Suite } from "./suite.ts";
import { trainingSuite } from "./training_suite.ts";
import { treesSuite } from "./trees_suite.ts";

/** The suites by name, in the order they run. */
export const SUITES: Readonly<Record<string, Suite>> = {
  kernels: kernelsSuite,
  trees: treesSuite,
  network: networkSuite,
  finetune: finetuneSuite,
  training: trainingSuite,
  service: serviceSuite,
};

/** What the command line says. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly peers: boolean;
  readonly lookups: number;
  readonly backend?: string;
  readonly json?: string;
}

const EXIT_FAILED = 1, EXIT_USAGE = 2;

/** Runs the named suites; returns the exit code: 1 when one fails, 2 for wrong usage. */
export async function runBench(args: readonly string[], write: (text: string) => void = console.log): Promise<number> {
  const program = createProgram().action((names: string[], options: BenchOptions) => measure(names, options, write));
  program.configureOutput({ writeOut: (text) => write(text.trimEnd()) });
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (!isSottoError(error)) throw error;
    console.error(`error: ${error.message} (${error.code})`);
    return EXIT_FAILED;
  }
}

function createProgram(): Command {
  const names = Object.keys(SUITES);
  return new Command("bench")
    .description("Measures the kernels and circuits on this machine.")
    .addArgument(new Argument("[suites...]", "what to measure; everything when none is named").choices(names))
    .option("--quick", "fewer repetitions: done within ten minutes on two cores", false)
    .option("--peers", "build and measure the peers too (the first time installs about 6 GB)", false)
    .option("--lookups <count>", "in suite kernels: run so many exact lookups and count the wrong ones", wholeNumber, 0)
    .option("--backend <name>", "cpu, cuda or another by name; with cuda and no GPU it says so and measures nothing")
    .option("--json <file>", "write the results as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  $ deno task bench --quick\n  $ deno task bench kernels --peers\n" +
        "  $ deno task bench trees --peers --json build/trees.json",
    )
    .exitOverride()
    .showHelpAfterError("(run it with --help to see its options)");
}

/** @throws InvalidArgumentError, which is wrong usage */
function wholeNumber(words: string): number {
  if (/^\d{1,12}$/.test(words)) return Number(words);
  throw new InvalidArgumentError("give a whole number.");
}

async function measure(names: string[], options: BenchOptions, write: (text: string) => void): Promise<void> {
  const suites = chooseSuites(names);
  const log = (line: string) => console.error(line);
  const missing = missingGpu(options.backend);
  if (missing !== undefined) return write(`nothing is measured: ${missing}`);
  if (options.json !== undefined) await writeText(options.json, "");
  await buildKernels({ target: "sotto", log });
  const machine = describeMachine(backendName(options.backend));
  const results: Result[] = [];
  const run = { ...options, log, add: (result: Result) => void results.push(result) };
  try {
    for (const suite of suites) await suite(run);
  } finally {
    if (results.length > 0) write(resultTable(results));
    const report: Report = { machine, commit: await currentCommit(), results };
    if (options.json !== undefined) await writeText(options.json, JSON.stringify(report, null, 2) + "\n");
  }
}

function chooseSuites(names: readonly string[]): Suite[] {
  return Object.entries(SUITES).filter(([name]) => names.length === 0 || names.includes(name)).map(([, suite]) =>
    suite
  );
}

/** Why back end `cuda` cannot run here; undefined when it can or another one is asked for. */
function missingGpu(backend: string | undefined): string | undefined {
  if (!backend?.startsWith("cuda")) return undefined;
  try {
    backendName(backend);
    return undefined;
  } catch (error) {
    if (isSottoError(error)) return error.message;
    throw error;
  }
}

function backendName(name?: string): string {
  const backend = openBackend({ backend: name, threads: 1 });
  try {
    return backend.name;
  } finally {
    backend.close();
  }
}

/** Called before the measurements too, so that a wrong path does not cost them. @throws SottoError `file_unreadable` */
async function writeText(file: string, text: string): Promise<void> {
  await Deno.writeTextFile(file, text).catch((cause) => {
    throw new SottoError("file_unreadable", `${file} cannot be written: name a file in a folder that exists`, {
      cause,
    });
  });
}

if (import.meta.main) Deno.exit(await runBench(Deno.args));
