/** One fine-tuning run and what is kept of it, so that the same run on other weights can be set beside it. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import type { LlamaConfig } from "../../models/language/mod.ts";
import type { AdamState } from "./adam_w.ts";
import { type AdapterOptions, Adapters } from "./adapters.ts";
import type { TokenBlock } from "./block.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { LinearProducts } from "./linear_products.ts";
import { Llama, type PassOptions } from "./llama.ts";
import type { LocalWeights } from "./local_weights.ts";
import { type StepReport, Trainer, type TrainOptions } from "./train.ts";

/** What determines a run, up to the products. */
export interface RunSetting {
  readonly kernels: FloatKernels;
  readonly config: LlamaConfig;
  readonly local: LocalWeights;
  readonly adapters: AdapterOptions;
  readonly train: TrainOptions;
  /** Blocks, one a step, from the first on again after the last. */
  readonly blocks: readonly TokenBlock[];
  readonly steps: number;
  /** Of the adapters' start; default 0. */
  readonly seed?: number;
}

export interface TunedRun {
  readonly adapters: Adapters;
  readonly steps: readonly StepReport[];
  /** Gradients of the first step by the names of the parameters, clipped as they were used. */
  readonly firstGradients: ReadonlyMap<string, Floats>;
}

export interface RunOptions extends PassOptions {
  /** Told after each step. */
  readonly onStep?: (report: StepReport) => void;
  /** Where and how often the run is kept, also after the last step; default: not. */
  readonly checkpoint?: { readonly path: string; readonly every: number };
  /** A checkpoint of the same setting that is gone on from; default: from the start. */
  readonly resume?: string;
}

/** Trains adapters around the products: new ones, or those of a checkpoint. Throws what `loadCheckpoint` and `saveCheckpoint` throw. */
export async function runTuning(
  setting: RunSetting,
  products: LinearProducts,
  options: RunOptions = {},
): Promise<TunedRun> {
  const { kernels, config, local, blocks, steps } = setting;
  const { resume, checkpoint } = options;
  const start = resume === undefined ? newRun(setting) : await loadCheckpoint(resume, setting);
  const { adapters } = start;
  const trainer = new Trainer(
    new Llama({ kernels, config, local, products, adapters }),
    setting.train,
    start.optimiser,
  );
  const reports: StepReport[] = [...start.steps];
  let { firstGradients } = start;
  for (let step = reports.length; step < steps; step++) {
    const onProgress = (part: number) => options.onProgress?.((step + part) / steps);
    const report = await trainer.step([blocks[step % blocks.length]], { signal: options.signal, onProgress });
    if (step === 0) firstGradients = gradientsOf(adapters);
    reports.push(report);
    if (checkpoint && (reports.length === steps || reports.length % checkpoint.every === 0)) {
      const state = { adapters, optimiser: trainer.state, steps: reports, firstGradients };
      await saveCheckpoint(checkpoint.path, setting, state);
    }
    options.onStep?.(report);
  }
  return { adapters, steps: reports, firstGradients };
}

function newRun({ kernels, config, adapters, seed = 0 }: RunSetting) {
  const nothing: { optimiser?: AdamState; steps: StepReport[]; firstGradients: ReadonlyMap<string, Floats> } = {
    steps: [],
    firstGradients: new Map(),
  };
  return { adapters: Adapters.create(kernels, config, adapters, seed), ...nothing };
}

function gradientsOf(adapters: Adapters): ReadonlyMap<string, Floats> {
  return new Map(adapters.parameters().map(({ name, gradient }) => [name, gradient.slice()]));
}

/** The largest relative difference of the losses of two runs, step by step. */
export function lossGap(run: Pick<TunedRun, "steps">, other: Pick<TunedRun, "steps">): number {
  return run.steps.reduce((most, { loss }, i) => Math.max(most, Math.abs(loss / other.steps[i].loss - 1)), 0);
}

/**
 * The cosine of the first gradients of two runs: of all parameters taken as one vector, and of those of each layer. With untrained adapters the
 * gradient of A is zero, so the first step shows that of B.
 */
export function gradientCosines(
  run: Pick<TunedRun, "firstGradients">,
  other: Pick<TunedRun, "firstGradients">,
): { readonly all: number; readonly layers: readonly number[] } {
  const all = new Dots();
  const layers: Dots[] = [];
  for (const [name, gradient] of run.firstGradients) {
    const layer = Number(/\.layers\.(\d+)\./.exec(name)?.[1] ?? 0);
    const matching = other.firstGradients.get(name)!;
    all.add(gradient, matching);
    (layers[layer] ??= new Dots()).add(gradient, matching);
  }
  return { all: all.cosine, layers: layers.map(({ cosine }) => cosine) };
}

class Dots {
  #xy = 0;
  #xx = 0;
  #yy = 0;

  add(x: Floats, y: Floats): void {
    for (let i = 0; i < x.length; i++) {
      this.#xy += x[i] * y[i];
      this.#xx += x[i] * x[i];
      this.#yy += y[i] * y[i];
    }
  }

  get cosine(): number {
    return this.#xy / Math.sqrt(this.#xx * this.#yy);
  }
}
