/** `sotto finetune`: trains adapters here, around products that the server makes on encrypted tokens. */
import type { Command } from "commander";
import { join } from "node:path";
import type { FloatKernels } from "../circuits/finetune/float_kernels.ts";
import {
  ClearProducts,
  type LinearProducts,
  Llama,
  packBlocks,
  perplexity,
  readTexts,
  type RunSetting,
  runTuning,
  saveAdapters,
  type TokenBlock,
  type TunedRun,
} from "../client/finetune/mod.ts";
import { openLanguageModel } from "../models/language/mod.ts";
import type { Context } from "./context.ts";
import { readBytes, refuseExisting, writeNew } from "./files.ts";
import { type BaseOptions, type OpenTuning, openTuning, withBase } from "./finetune_options.ts";
import { startTuning } from "./finetune_progress.ts";
import { compareRuns, lossesOf, reportCharts, reportText, type TuningReport } from "./finetune_report.ts";
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
  readonly force?: boolean;
}

const REPORT = "report.json";

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
    .option("--force", "replace what is in the folder")
    .addHelpText(
      "after",
      examples(
        "sotto finetune register SmolLM2-135M-Instruct.Q4_1.gguf --name smollm2",
        "sotto finetune --base smollm2 --data text.jsonl --steps 30 --out adapters",
        'sotto finetune generate --base smollm2 --adapters adapters --prompt "By the rays of light"',
      ),
    )
    .action((options: TuneOptions) => tune(context, options));
}

async function tune(context: Context, options: TuneOptions): Promise<void> {
  const names = ["adapter_model.safetensors", "adapter_config.json", REPORT, "loss.svg"];
  await refuseExisting(names.map((name) => join(options.out, name)), options.force);
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
    const { run, report } = await measured(context, setting, tuning, heldBlocks, stop.signal);
    await saveAdapters(options.out, run.adapters, options.base);
    const clear = options.clear && compareRuns(run, await clearRuns(context, setting, options.clear, stop.signal));
    await writeReport(context, { ...report, ...clear ? { clear } : {} }, options);
  } finally {
    backend.close();
  }
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
  signal: AbortSignal,
): Promise<{ run: TunedRun; report: TuningReport }> {
  const { kernels, config, local } = setting;
  const measure = (adapters?: TunedRun["adapters"]) =>
    perplexity(new Llama({ kernels, config, local, products, adapters }), held, { signal });
  const before = held.length > 0 ? await measure() : undefined;
  const start = { time: performance.now(), ...products.totals };
  const run = await watched(context, "encrypted", setting, products, signal, () => {
    const { bytesUp, bytesDown } = products.totals;
    return bytesUp + bytesDown - start.bytesUp - start.bytesDown;
  });
  const seconds = (performance.now() - start.time) / 1000;
  const totals = { ...products.totals };
  for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] -= start[key];
  const tokens = tokensOf(setting, setting.steps);
  const report: TuningReport = { losses: lossesOf(run), seconds, tokens, totals };
  if (before === undefined) return { run, report };
  return { run, report: { ...report, perplexity: { before, after: await measure(run.adapters) } } };
}

/** Tokens of the first steps. */
function tokensOf({ blocks }: RunSetting, steps: number): number {
  let tokens = 0;
  for (let step = 0; step < steps; step++) tokens += blocks[step % blocks.length].tokens.length;
  return tokens;
}

async function watched(
  context: Context,
  label: string,
  setting: RunSetting,
  products: LinearProducts,
  signal: AbortSignal,
  bytes: () => number,
): Promise<TunedRun> {
  using progress = startTuning(context, label, setting.steps);
  const start = performance.now();
  return await runTuning(setting, products, {
    signal,
    onProgress: (share) => progress.update(share),
    onStep: (report) => {
      const seconds = (performance.now() - start) / 1000;
      progress.step(report, { tokens: tokensOf(setting, report.step + 1), seconds, bytes: bytes() });
    },
  });
}

async function clearRuns(context: Context, setting: RunSetting, path: string, signal: AbortSignal) {
  using model = await openLanguageModel(path);
  const runOn = async (weights: "int8" | "float") => {
    const products = await ClearProducts.load(setting.kernels, model, weights);
    return await watched(context, weights, setting, products, signal, () => 0);
  };
  return { int8: await runOn("int8"), float: await runOn("float") };
}

async function writeReport(context: Context, report: TuningReport, options: TuneOptions): Promise<void> {
  const { out, json } = options;
  const text = JSON.stringify(report, null, 2) + "\n";
  await writeNew(join(out, REPORT), text, { force: true });
  for (const [name, chart] of reportCharts(report)) await writeNew(join(out, name), chart, { force: true });
  context.out(json ? text : reportText(report) + `adapters and report: ${out}\n`);
}
