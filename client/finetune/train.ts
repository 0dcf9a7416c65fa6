/** Fine-tuning: steps of AdamW on the adapters, each over one or several blocks. */
import { SottoError } from "../../errors.ts";
import { type AdamOptions, type AdamState, AdamW, clipGradients } from "./adam_w.ts";
import type { Adapters, Parameter } from "./adapters.ts";
import { labelCount, type TokenBlock } from "./block.ts";
import type { Keep } from "./decoder_layer.ts";
import { learningRate, type LearningRateOptions } from "./learning_rate.ts";
import type { Llama, PassOptions } from "./llama.ts";
import { mixAll } from "./seeded.ts";

export interface TrainOptions extends AdamOptions {
  readonly learningRate: LearningRateOptions;
  /** Largest common norm of the gradients; default 1. */
  readonly clip?: number;
  /** Of the dropout masks; default 0. */
  readonly seed?: number;
  /** See `Keep`; default "products". */
  readonly keep?: Keep;
}

export interface StepReport {
  /** 0, 1, ... */
  readonly step: number;
  /** Mean cross-entropy of the step's labels, before the step. */
  readonly loss: number;
  /** Labels that were learned from. */
  readonly labels: number;
  /** Of the gradients, before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** A run: the model, its adapters and the optimiser's memory. */
export class Trainer {
  readonly #optimiser: AdamW;
  readonly #parameters: readonly Parameter[];
  readonly #adapters: Adapters;

  /** `state`: of the optimiser of a run that goes on. */
  constructor(readonly model: Llama, readonly options: TrainOptions, state?: AdamState) {
    const { adapters } = model.parts;
    if (!adapters) throw new SottoError("configuration_invalid", "a model without adapters has nothing to train");
    this.#adapters = adapters;
    this.#parameters = adapters.parameters();
    this.#optimiser = new AdamW(this.#parameters, options, state);
  }

  /** What the optimiser remembers: with the adapters, all that the next step depends on. */
  get state(): AdamState {
    return this.#optimiser;
  }

  /** One step over the blocks. When it is cancelled or fails, the adapters are as before and the step may be made again. */
  async step(blocks: readonly TokenBlock[], pass: PassOptions = {}): Promise<StepReport> {
    const step = this.#optimiser.steps;
    const labels = blocks.reduce((sum, block) => sum + labelCount(block), 0);
    if (labels === 0) throw new SottoError("rows_refused", "the texts of this step hold nothing to learn from");
    this.#adapters.clearGradients();
    let sum = 0;
    for (const [i, block] of blocks.entries()) {
      const onProgress = (part: number) => pass.onProgress?.((i + part) / blocks.length);
      sum += (await this.model.gradients(block, { ...this.#blockOptions(step, i, labels), ...pass, onProgress })).sum;
    }
    const gradientNorm = clipGradients(this.#parameters, this.options.clip ?? 1);
    const rate = learningRate(this.options.learningRate, step);
    this.#optimiser.step(rate);
    return { step, loss: sum / labels, labels, gradientNorm, learningRate: rate };
  }

  #blockOptions(step: number, block: number, divisor: number) {
    const rate = this.#adapters.options.dropout ?? 0;
    const dropout = { rate, seed: mixAll(this.options.seed ?? 0, step, block) };
    return { dropout, divisor, keep: this.options.keep };
  }
}

/** exp of the mean cross-entropy over all labels of the blocks; no dropout. */
export async function perplexity(model: Llama, blocks: readonly TokenBlock[], pass: PassOptions = {}): Promise<number> {
  let [sum, count] = [0, 0];
  for (const [i, block] of blocks.entries()) {
    const onProgress = (part: number) => pass.onProgress?.((i + part) / blocks.length);
    const loss = await model.loss(block, { ...pass, onProgress });
    [sum, count] = [sum + loss.sum, count + loss.count];
  }
  if (count === 0) throw new SottoError("rows_refused", "the texts hold no token to predict");
  return Math.exp(sum / count);
}
