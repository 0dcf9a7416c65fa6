/** A Llama-architecture model whose base weights may lie with a server: logits, loss, and gradients of the adapters. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import { type LlamaConfig, ropeFrequencies } from "../../models/language/mod.ts";
import { moduleGroups, moduleList } from "../../models/language/module_list.ts";
import { AdaptedProducts, type Dropout } from "./adapted_products.ts";
import type { Adapters } from "./adapters.ts";
import { labelCount, type TokenBlock } from "./block.ts";
import { DecoderLayer, type Keep, type LayerTape, type Pass } from "./decoder_layer.ts";
import type { KeyCache } from "./key_cache.ts";
import { type LinearProducts, OUTPUT_GROUP } from "./linear_products.ts";
import { type LocalWeights, requireLocalWeights } from "./local_weights.ts";
import { rmsNorm, rmsNormGradient } from "./rms_norm.ts";
import { rotationTable } from "./rope.ts";

export interface LlamaParts {
  readonly kernels: FloatKernels;
  readonly config: LlamaConfig;
  readonly local: LocalWeights;
  readonly products: LinearProducts;
  /** Without adapters the base model runs. */
  readonly adapters?: Adapters;
}

export interface PassOptions {
  /** Stops between two layers with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Receives the done part of this call, 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

export interface GradientOptions extends PassOptions {
  /** Dropout of this block; default: none. */
  readonly dropout?: Dropout;
  /** Default "products": no forward request is made twice. */
  readonly keep?: Keep;
  /** The sum of losses is divided by this; default: the labels of the block. */
  readonly divisor?: number;
}

export interface BlockLoss {
  /** Sum of the cross-entropies (natural logarithm) of the labels that count. */
  readonly sum: number;
  readonly count: number;
}

export class Llama {
  readonly kernels: FloatKernels;
  readonly config: LlamaConfig;
  readonly #frequencies: Float64Array;
  readonly #layers: readonly DecoderLayer[];

  /** Throws `model_refused` when the parts do not fit each other. */
  constructor(readonly parts: LlamaParts) {
    requireLocalWeights(parts.config, parts.local);
    const { kernels, config, products, adapters } = parts;
    [this.kernels, this.config] = [kernels, config];
    const adapted = new AdaptedProducts(kernels, products, moduleGroups(moduleList(config)), adapters);
    this.#frequencies = ropeFrequencies(config.rope, config.headSize);
    this.#layers = Array.from(
      { length: config.layers },
      (_, layer) => new DecoderLayer(config, parts.local, adapted, layer),
    );
  }

  /** Logits of all tokens, tokens x vocabulary. */
  async logits(block: TokenBlock, options: PassOptions = {}): Promise<Floats> {
    const tokens = Uint32Array.from(block.tokens.keys());
    const { hidden } = await this.#forward(block, this.#pass(block), undefined, options);
    return await this.#output(this.#gather(hidden, tokens), tokens.length);
  }

  /** The input of every layer, then the output of the last, before the final norm: layers + 1 arrays, tokens x hidden. */
  async hiddenStates(block: TokenBlock, options: PassOptions = {}): Promise<Floats[]> {
    const { hidden, tapes } = await this.#forward(block, this.#pass(block), "inputs", options);
    return [...tapes.map((tape) => tape.input), hidden];
  }

  /** The loss alone; no dropout. */
  async loss(block: TokenBlock, options: PassOptions = {}): Promise<BlockLoss> {
    const { hidden } = await this.#forward(block, this.#pass(block), undefined, options);
    const learned = learnedTokens(block);
    const logits = await this.#output(this.#gather(hidden, learned), learned.length);
    return sumLosses(await this.kernels.crossEntropy(logits, labelsOf(block, learned), this.config.vocabulary));
  }

  /** The loss of a block; the gradients of the adapters are added to what they hold. */
  async gradients(block: TokenBlock, options: GradientOptions = {}): Promise<BlockLoss> {
    const { signal, onProgress, dropout } = options;
    const pass = this.#pass(block, dropout);
    const half = (from: number) => (part: number) => onProgress?.(from + part / 2);
    const forward = { signal, onProgress: half(0) };
    const { hidden, tapes } = await this.#forward(block, pass, options.keep ?? "products", forward);
    const { loss, gradient } = await this.#lossGradient(hidden, block, options.divisor ?? labelCount(block));
    await this.#backward(gradient, tapes, pass, { signal, onProgress: half(0.5) });
    return loss;
  }

  /** Logits of the token after these ones, which are appended to the cache. */
  async nextLogits(tokens: Uint32Array, cache: KeyCache, options: PassOptions = {}): Promise<Floats> {
    const { length } = cache;
    const positions = tokens.map((_, i) => length + i);
    const block = {
      tokens,
      positions,
      starts: Uint32Array.of(0, tokens.length),
      labels: new Int32Array(tokens.length),
    };
    const pass = this.#pass(block);
    const attention = { ...pass.attention, keyStarts: Uint32Array.of(0, length + tokens.length) };
    const { hidden } = await this.#forward(block, { ...pass, attention }, undefined, options, cache);
    cache.length = length + tokens.length;
    return await this.#output(this.#gather(hidden, Uint32Array.of(tokens.length - 1)), 1);
  }

  #pass(block: TokenBlock, dropout?: Dropout): Pass {
    const { heads, kvHeads, headSize } = this.config;
    return {
      tokens: block.tokens.length,
      attention: { heads, kvHeads, headSize, queryStarts: block.starts, keyStarts: block.starts },
      rotation: rotationTable(block.positions, this.#frequencies),
      dropout,
    };
  }

  /** Without `keep` no tape is made. */
  async #forward(
    block: TokenBlock,
    pass: Pass,
    keep: Keep | undefined,
    { signal, onProgress }: PassOptions,
    cache?: KeyCache,
  ): Promise<{ hidden: Floats; tapes: LayerTape[] }> {
    let hidden = this.#embed(block.tokens);
    const tapes: LayerTape[] = [];
    for (const [i, layer] of this.#layers.entries()) {
      requireRunning(signal);
      const { out, tape } = await layer.forward(hidden, pass, keep ?? "inputs", cache);
      if (keep) tapes.push(tape);
      hidden = out;
      onProgress?.((i + 1) / this.#layers.length);
    }
    return { hidden, tapes };
  }

  async #backward(
    gradient: Floats,
    tapes: LayerTape[],
    pass: Pass,
    { signal, onProgress }: PassOptions,
  ): Promise<void> {
    let dHidden: Floats | undefined = gradient;
    for (let i = this.#layers.length - 1; i >= 0 && dHidden; i--) {
      requireRunning(signal);
      dHidden = await this.#layers[i].backward(dHidden, tapes.pop()!, pass, i > 0);
      onProgress?.(1 - i / this.#layers.length);
    }
  }

  /** The gradient of the last layer's output, all tokens; only tokens with a label go through the output layer. */
  async #lossGradient(
    hidden: Floats,
    block: TokenBlock,
    divisor: number,
  ): Promise<{ loss: BlockLoss; gradient: Floats }> {
    const { final } = this.parts.local.norms;
    const learned = learnedTokens(block);
    const gradient = this.kernels.zeros(hidden.length);
    if (learned.length === 0) return { loss: { sum: 0, count: 0 }, gradient };
    const inputs = this.#gather(hidden, learned);
    const logits = await this.#output(inputs, learned.length);
    const labels = labelsOf(block, learned);
    const losses = await this.kernels.crossEntropy(logits, labels, this.config.vocabulary, 1 / divisor);
    const dNormed = await this.parts.products.backward(OUTPUT_GROUP, [logits], learned.length);
    const dInputs = this.kernels.zeros(inputs.length);
    rmsNormGradient(dNormed, inputs, final, this.config.rmsEpsilon, dInputs);
    const { hidden: width } = this.config;
    learned.forEach((token, i) => gradient.set(dInputs.subarray(i * width, (i + 1) * width), token * width));
    return { loss: sumLosses(losses), gradient };
  }

  /** Logits of rows of the last layer's output. */
  async #output(hidden: Floats, tokens: number): Promise<Floats> {
    if (tokens === 0) return this.kernels.zeros(0);
    const normed = rmsNorm(this.kernels, hidden, this.parts.local.norms.final, this.config.rmsEpsilon);
    return (await this.parts.products.forward(OUTPUT_GROUP, normed, tokens))[0];
  }

  #embed(tokens: Uint32Array): Floats {
    const beyond = tokens.find((token) => token >= this.config.vocabulary);
    if (beyond !== undefined) {
      throw new SottoError("rows_refused", `token ${beyond} is not in the vocabulary of ${this.config.vocabulary}`);
    }
    return this.#gather(this.parts.local.embedding, tokens);
  }

  /** Rows of `hidden` floats, copied. */
  #gather(rows: Floats, indices: Uint32Array): Floats {
    const { hidden } = this.config;
    const out = this.kernels.zeros(indices.length * hidden);
    indices.forEach((row, i) => out.set(rows.subarray(row * hidden, (row + 1) * hidden), i * hidden));
    return out;
  }
}

function requireRunning(signal?: AbortSignal): void {
  if (signal?.aborted) throw new SottoError("cancelled", "the fine-tuning pass was cancelled");
}

/** Tokens whose label counts. */
function learnedTokens({ labels }: TokenBlock): Uint32Array {
  return Uint32Array.from(labels.keys()).filter((token) => labels[token] >= 0);
}

function labelsOf({ labels }: TokenBlock, tokens: Uint32Array): Int32Array {
  return Int32Array.from(tokens, (token) => labels[token]);
}

function sumLosses(losses: Float64Array): BlockLoss {
  return { sum: losses.reduce((a, b) => a + b, 0), count: losses.length };
}
