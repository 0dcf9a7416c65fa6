/** `sotto finetune generate`: text from the tuned model, by encrypted products or by weights on this machine. */
import type { Command } from "commander";
import type { FloatKernels } from "../circuits/finetune/float_kernels.ts";
import {
  type Adapters,
  ClearProducts,
  generate,
  Llama,
  loadAdapters,
  loadLocalWeights,
} from "../client/finetune/mod.ts";
import { type LanguageModel, openLanguageModel, type Tokenizer } from "../models/language/mod.ts";
import { SottoError } from "../errors.ts";
import type { Context } from "./context.ts";
import { type BaseOptions, openTuning, withBase } from "./finetune_options.ts";
import { examples, positiveNumber, wholeNumber } from "./options.ts";

interface GenerateOptions extends Omit<BaseOptions, "base"> {
  readonly base?: string;
  readonly local?: string;
  readonly adapters?: string;
  readonly prompt: string;
  readonly tokens: number;
  readonly temperature: number;
  readonly seed: number;
}

/** A model that is ready, its tokenizer, and what ends it. */
interface Ready {
  readonly model: Llama;
  readonly tokenizer: Tokenizer;
}

/** Adds the command to the group. */
export function addGenerate(group: Command, context: Context): void {
  const command = withBase(group.command("generate"));
  command.options.find(({ long }) => long === "--base")!.makeOptionMandatory(false);
  command
    .description("write text after a prompt; each token is one pass of requests")
    .option("--local <model>", "weights on this machine instead of --base: nothing is encrypted or sent")
    .option("--adapters <folder>", "adapters in PEFT's format")
    .requiredOption("--prompt <text>", "beginning of the text; it stays here")
    .option("--tokens <count>", "tokens to add at most", wholeNumber(1, 100_000), 40)
    .option("--temperature <value>", "0: always the likeliest token", positiveNumber, 0)
    .option("--seed <number>", "of the draws", wholeNumber(0, 2 ** 31), 0)
    .addHelpText(
      "after",
      examples(
        'sotto finetune generate --base smollm2 --adapters adapters --prompt "By the rays of light"',
        'sotto finetune generate --local model.gguf --adapters adapters --prompt "By the rays of light"',
      ),
    )
    .action((options: GenerateOptions) => write(context, options));
}

async function write(context: Context, options: GenerateOptions): Promise<void> {
  const stop = new AbortController();
  using _interrupt = context.onInterrupt(() => stop.abort());
  const { openFloatKernels } = await import("../ffi/native_float.ts");
  using kernels = openFloatKernels();
  if (options.local !== undefined) {
    using file = await openLanguageModel(options.local);
    return await say(context, options, await localModel(kernels, file, options), stop.signal);
  }
  if (options.base === undefined) {
    throw new SottoError("malformed_request", "pass --base MODEL of the server, or --local MODEL of this machine");
  }
  const backend = await context.openBackend();
  try {
    await using tuning = await openTuning(context, backend, { ...options, base: options.base }, undefined, stop.signal);
    const { config, local, tokenizer } = tuning.base;
    const adapters = await readAdapters(kernels, config, options);
    const model = new Llama({ kernels, config, local, products: tuning.products, adapters });
    await say(context, options, { model, tokenizer: await tokenizer() }, stop.signal);
  } finally {
    backend.close();
  }
}

async function localModel(kernels: FloatKernels, file: LanguageModel, options: GenerateOptions): Promise<Ready> {
  const { config } = file;
  const adapters = await readAdapters(kernels, config, options);
  const weights = await ClearProducts.load(kernels, file, "float");
  const products = adapters ? await weights.merged(adapters) : weights;
  const model = new Llama({ kernels, config, local: await loadLocalWeights(file), products });
  return { model, tokenizer: await file.tokenizer() };
}

async function readAdapters(
  kernels: FloatKernels,
  config: LanguageModel["config"],
  { adapters }: GenerateOptions,
): Promise<Adapters | undefined> {
  return adapters === undefined ? undefined : await loadAdapters(adapters, kernels, config);
}

/** Prints the text as it grows; a letter of several tokens appears when it is whole. */
async function say(
  context: Context,
  options: GenerateOptions,
  { model, tokenizer }: Ready,
  signal: AbortSignal,
): Promise<void> {
  const prompt = tokenizer.encode(options.prompt);
  const { end } = tokenizer.special;
  const { temperature, seed, tokens: tokensMax } = options;
  const stop = end === undefined ? [] : [end];
  const made: number[] = [];
  let shown = "";
  for await (const token of generate(model, prompt, { tokensMax, temperature, seed, stop, signal })) {
    made.push(token);
    const text = tokenizer.decode(made, false);
    if (options.json || text.endsWith("\ufffd")) continue;
    context.out(text.slice(shown.length));
    shown = text;
  }
  const text = tokenizer.decode(made, false);
  context.out(options.json ? JSON.stringify({ prompt: options.prompt, text, tokens: made }) + "\n" : "\n");
}
