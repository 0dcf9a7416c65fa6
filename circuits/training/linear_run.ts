/**
 * Logistic and linear regression on encrypted batches (arXiv 2401.16136). A step costs m lookups a score, 11 m + log2 m + 1
 * automorphisms a score and two external products a score and chunk; see `noise.ts` for what it adds to the weights.
 */
import { type CallOptions, LWE_WORDS, type ServerBackend } from "../backend.ts";
import type { EncryptedBatch } from "./batch.ts";
import { labelLwe } from "./batch.ts";
import { type Geometry, geometryOf } from "./geometry.ts";
import { LoadedBatch, requireRunning } from "./products.ts";
import type { RunKeys } from "./run.ts";
import { type LinearScales, linearScales } from "./scales.ts";
import { type LinearSpec, scoreCount } from "./spec.ts";
import type { TrainingState } from "./state.ts";
import { HALF_RANGE, interleavedTable, sigmoid, type TableFunction } from "./tables.ts";
import { CURRENT } from "../../params/mod.ts";

const Q = Number(CURRENT.modulus);

/** The state after one more step. */
export class LinearStep {
  readonly #geometry: Geometry;
  readonly #scales: LinearScales;

  constructor(readonly backend: ServerBackend, readonly spec: LinearSpec, readonly keys: RunKeys) {
    this.#geometry = geometryOf(spec);
    this.#scales = linearScales(spec);
  }

  async run(state: TrainingState, batch: EncryptedBatch, options: CallOptions): Promise<TrainingState> {
    requireRunning(options);
    using data = await LoadedBatch.load(this.backend, this.#geometry, batch);
    const labels = labelLwe(this.backend, batch.labels, this.spec.batch_size * scoreCount(this.spec));
    const scores = await data.scores(state.weights, options);
    const errors = await this.#errors(state.step, scores, labels, options);
    const weights = await data.update(this.keys.training, state.weights, errors, options);
    return { step: state.step + 1, weights, outputs: state.outputs };
  }

  close(): void {}

  async #errors(
    step: number,
    scores: BigUint64Array,
    labels: BigUint64Array,
    options: CallOptions,
  ): Promise<BigUint64Array> {
    const { training } = this.backend;
    const factor = BigInt(this.#scales.factors[step]);
    const early = this.spec.kind === "linear";
    const inputs = early ? training.add(scores, training.scale(labels, -factor)) : scores;
    const torus = raised(training.switchToTorus(inputs));
    const tables = interleavedTable([errorTable(this.spec, this.#scales, step)]);
    const indices = new Uint32Array(torus.length / LWE_WORDS);
    const looked = await training.lookup(this.keys.lookup, torus, { tables, indices, valuesLog: 0 }, options);
    return early ? looked : training.add(looked, training.scale(labels, factor));
  }
}

/** Minus the error without its label, in units of q, at the phase of a score (logistic) or of an error (linear). */
export function errorTable(spec: LinearSpec, scales: LinearScales, step: number): TableFunction {
  const unit = scales.errorSteps[step];
  const real = (phase: number) => scales.decays[step] * phase * Q / scales.scoreUnit;
  if (spec.kind === "logistic") return (phase) => -unit * sigmoid(real(phase));
  const clip = spec.error_clip;
  return (phase) => -unit * Math.max(-clip, Math.min(clip, real(phase)));
}

/** Adds half of the tables' range to every phase, in place. */
export function raised(lwe: Uint32Array): Uint32Array {
  for (let i = LWE_WORDS - 1; i < lwe.length; i += LWE_WORDS) lwe[i] += HALF_RANGE;
  return lwe;
}
