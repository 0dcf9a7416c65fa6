/** `sotto finetune`: trains adapters here, around products that the server makes on encrypted tokens. */
import type { Command } from "commander";
import { join, resolve } from "node:path";
import type { FloatKernels } from "../circuits/finetune/float_kernels.ts";
import {
  ClearProducts,
  type LinearProducts,
  Llama,
  packBlocks,
  perplexity,
  readTexts,
  type RunOptions,
  type RunSetting,
  runTuning,
  saveAdapters,
  type TokenBlock,
  type TunedRun,
} from "../client/finetune/mod.ts";
import { openLanguageModel, type WeightKind } from "../models/language/mod.ts";
import type { Context } from "./context.ts";
import { readBytes, refuseExisting, writeNew } from "./files.ts";
import { type BaseOptions, type OpenTuning, openTuning, withBase } from "./finetune_options.ts";
import { startTuning } from "./finetune_progress.ts";
import {
  type ClearRuns,
  compareRuns,
  lossesOf,
  reportCharts,
  reportText,
  type TuningReport,
} from "./finetune_report.ts";
import { examples, positiveNumber, wholeNumber } from "./options.ts";

export interface TuneOptions extends BaseOptions {
  readonly data: string;
  readonly steps: number;
  readonly block: number;
  readonly out: string;
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly learningRate: number;
  readonly warmUp: number;
  readonly seed: number;
  readonly evaluate?: string;
  readonly clear?: string;
  readonly checkpointEvery: number;
  readonly resume?: string;
  readonly force?: boolean;
}

const REPORT = "report.json";
const CHECKPOINT = "checkpoint.safetensors";

/** Adds the command to the group, of which it is the default. */
export function addTune(group: Command, context: Context): void {
  withBase(group.command("run", { isDefault: true }))
    .description("train adapters; may be left out: `sotto finetune --base ...`")
    .requiredOption("--data <file>", 'texts to learn: JSON lines, {"text"} or {"prompt", "completion"}; they stay here')
    .option("--steps <count>", "steps to take", wholeNumber(1, 1_000_000), 30)
    .option("--block <tokens>", "tokens of a step, several texts packed", wholeNumber(2, 2048), 1024)
    .option("--out <folder>", "for the adapters (PEFT's format) and the report", "adapters")
    .option("--rank <r>", "inner width of the adapters", wholeNumber(1, 1024), 8)
    .option("--alpha <alpha>", "the adapters are scaled by alpha / r", positiveNumber, 16)
    .option("--dropout <rate>", "before the adapters, while training", positiveNumber, 0)
    .option("--learning-rate <rate>", "the largest; it decays to zero along a line", positiveNumber, 2e-4)
    .option("--warm-up <steps>", "steps until the largest rate", wholeNumber(0, 1_000_000), 3)
    .option("--seed <number>", "of adapters and dropout", wholeNumber(0, 2 ** 31), 0)
    .option("--evaluate <file>", "texts whose perplexity is measured before and after")
    .option("--clear <model>", "the same weights on this machine: the run is repeated in clear, int8 and float")
    .option(
      "--checkpoint-every <steps>",
      `keep the run in OUT/${CHECKPOINT} until it ends`,
      wholeNumber(1, 1_000_000),
      5,
    )
    .option("--resume <file>", "go on from a checkpoint; all other options as they were")
    .option("--force", "replace what is in the folder")
    .addHelpText(
      "after",
      examples(
        "sotto finetune register SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2",
        "sotto finetune --base smollm2 --data text.jsonl --steps 30 --out adapters",
        "sotto finetune --base smollm2 --data text.jsonl --steps 30 --out adapters --resume adapters/checkpoint.safetensors",
        'sotto finetune generate --base smollm2 --adapters adapters --prompt "By the rays of light"',
      ),
    )
    .action((options: TuneOptions) => tune(context, options));
}

async function tune(context: Context, options: TuneOptions): Promise<void> {
  const names = ["adapter_model.safetensors", "adapter_config.json", REPORT, "loss.svg", CHECKPOINT];
  const paths = names.map((name) => join(options.out, name));
  await refuseExisting(
    paths.filter((path) => options.resume === undefined || !isSame(path, options.resume)),
    options.force,
  );
  const text = await readText(options.data);
  const held = options.evaluate === undefined ? undefined : await readText(options.evaluate);
  const stop = new AbortController();
  using _interrupt = context.onInterrupt(() => stop.abort());
  const { openFloatKernels } = await import("../ffi/native_float.ts");
  const backend = await context.openBackend();
  try {
    using kernels = openFloatKernels();
    await using tuning = await openTuning(context, backend, options, options.block, stop.signal);
    const tokenizer = await tuning.base.tokenizer();
    const blocks = packBlocks(readTexts(text, tokenizer), options.block);
    const heldBlocks = held === undefined ? [] : packBlocks(readTexts(held, tokenizer), options.block);
    const setting = settingOf(kernels, tuning, blocks, options);
    await Deno.mkdir(options.out, { recursive: true });
    const keeping = keepingOf(options, stop.signal);
    const { run, report } = await measured(context, setting, tuning, heldBlocks, keeping);
    await saveAdapters(options.out, run.adapters, options.base);
    const { weights } = tuning.base;
    const clear = options.clear &&
      compareRuns(run, await clearRuns(context, setting, { path: options.clear, weights }, stop.signal));
    await writeReport(context, { ...report, ...clear ? { clear } : {} }, options);
    await Deno.remove(keeping.checkpoint.path);
  } finally {
    backend.close();
  }
}

function isSame(path: string, other: string): boolean {
  return resolve(path) === resolve(other);
}

/** Where the run is kept while it runs, and where it goes on from. */
function keepingOf({ out, checkpointEvery: every, resume }: TuneOptions, signal: AbortSignal) {
  return { signal, checkpoint: { path: join(out, CHECKPOINT), every }, ...resume === undefined ? {} : { resume } };
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

function settingOf(
  kernels: FloatKernels,
  { base: { config, local } }: OpenTuning,
  blocks: readonly TokenBlock[],
  options: TuneOptions,
): RunSetting {
  const { rank, alpha, dropout, steps, seed, warmUp, learningRate: peak } = options;
  return {
    ...{ kernels, config, local, blocks, steps, seed },
    adapters: { rank, alpha, dropout },
    train: { learningRate: { peak, steps, warmUp }, seed },
  };
}

async function measured(
  context: Context,
  setting: RunSetting,
  { products }: OpenTuning,
  held: readonly TokenBlock[],
  keeping: ReturnType<typeof keepingOf>,
): Promise<{ run: TunedRun; report: TuningReport }> {
  const { kernels, config, local } = setting;
  const { signal } = keeping;
  const measure = (adapters?: TunedRun["adapters"]) =>
    perplexity(new Llama({ kernels, config, local, products, adapters }), held, { signal });
  const before = held.length > 0 ? await measure() : undefined;
  const start = { time: performance.now(), ...products.totals };
  let steps = 0;
  const run = await watched(context, "encrypted", setting, products, keeping, () => {
    steps++;
    const { bytesUp, bytesDown } = products.totals;
    return bytesUp + bytesDown - start.bytesUp - start.bytesDown;
  });
  const seconds = (performance.now() - start.time) / 1000;
  const totals = { ...products.totals };
  for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] -= start[key];
  const tokens = tokensOf(setting, setting.steps - steps, setting.steps);
  const report: TuningReport = { losses: lossesOf(run), steps, seconds, tokens, totals };
  if (before === undefined) return { run, report };
  return { run, report: { ...report, perplexity: { before, after: await measure(run.adapters) } } };
}

/** Tokens of steps `first` up to `end`. */
function tokensOf({ blocks }: RunSetting, first: number, end: number): number {
  let tokens = 0;
  for (let step = first; step < end; step++) tokens += blocks[step % blocks.length].tokens.length;
  return tokens;
}

async function watched(
  context: Context,
  label: string,
  setting: RunSetting,
  products: LinearProducts,
  options: Pick<RunOptions, "signal" | "checkpoint" | "resume">,
  bytes: () => number,
): Promise<TunedRun> {
  using progress = startTuning(context, label, setting.steps);
  const start = performance.now();
  let first: number | undefined;
  return await runTuning(setting, products, {
    ...options,
    onProgress: (share) => progress.update(share),
    onStep: (report) => {
      const seconds = (performance.now() - start) / 1000;
      first ??= report.step;
      progress.step(report, { tokens: tokensOf(setting, first, report.step + 1), seconds, bytes: bytes() });
    },
  });
}

async function clearRuns(
  context: Context,
  setting: RunSetting,
  { path, weights }: { path: string; weights: WeightKind },
  signal: AbortSignal,
): Promise<ClearRuns> {
  using model = await openLanguageModel(path);
  const runOn = async (kind: WeightKind | "float") => {
    const products = await ClearProducts.load(setting.kernels, model, kind);
    return await watched(context, kind, setting, products, { signal }, () => 0);
  };
  return { weights, integers: await runOn(weights), float: await runOn("float") };
}

async function writeReport(context: Context, report: TuningReport, options: TuneOptions): Promise<void> {
  const { out, json } = options;
  const text = JSON.stringify(report, null, 2) + "\n";
  await writeNew(join(out, REPORT), text, { force: true });
  for (const [name, chart] of reportCharts(report)) await writeNew(join(out, name), chart, { force: true });
  context.out(json ? text : reportText(report) + `adapters and report: ${out}\n`);
}
