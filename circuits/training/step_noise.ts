/** What a run does to its weights, in real units: an upper bound from the formulas, step by step. */
import { CURRENT } from "../../params/mod.ts";
import { TORUS } from "../lookup_noise.ts";
import type { EncryptionKind } from "../training_backend.ts";
import { geometryOf } from "./geometry.ts";
import { HIDDEN_FUNCTIONS, OPERAND_UNIT } from "./mlp_scales.ts";
import {
  constantVariance,
  encryptionVariance,
  errorVariance,
  gradientVariance,
  readingVariance,
  rotationVariance,
  switchVariance,
} from "./noise.ts";
import { linearScales, type WeightScales, weightScales } from "./scales.ts";
import { rateOf } from "./schedule.ts";
import { lookupSettingOf } from "./setting.ts";
import type { TrainingSpec } from "./spec.ts";

const Q = Number(CURRENT.modulus);

/** Standard deviations of noise, real units. */
export interface WeightNoise {
  /** Of a score (or hidden sum) as its table reads it, in the last step. */
  readonly reading: number;
  /** What one step adds to a weight: of the noisiest feature, and of the bias. Mean over the steps. */
  readonly stepFeature: number;
  readonly stepBias: number;
  /** What all steps have added, nothing of it unlearnt: of the noisiest feature, and of the bias. */
  readonly feature: number;
  readonly bias: number;
  /** What that does to a score (or hidden sum) of the mean row. */
  readonly score: number;
}

/** `squares(f)`: mean of u_f^2 over rows, of features on [-1, 1]. */
export function weightNoise(
  spec: TrainingSpec,
  squares: (column: number) => number,
  kinds: readonly EncryptionKind[] = ["seeded"],
): WeightNoise {
  const geometry = geometryOf(spec);
  const scales = weightScales(spec);
  const bias = geometry.columns - 1;
  const features = [...new Set([0, Math.floor(bias / 2), Math.max(0, bias - 1)])];
  const total = (column: number) => weightVariance(spec, column, squares, kinds);
  const feature = Math.max(...features.map(total));
  const biasVariance = total(bias);
  let sumOfSquares = 0;
  for (let f = 0; f < bias; f++) sumOfSquares += squares(f);
  return {
    reading: Math.sqrt(scoreReading(spec, scales, spec.steps - 1)),
    stepFeature: Math.sqrt(feature / spec.steps),
    stepBias: Math.sqrt(biasVariance / spec.steps),
    feature: Math.sqrt(feature),
    bias: Math.sqrt(biasVariance),
    score: Math.sqrt(sumOfSquares * feature + biasVariance),
  };
}

/**
 * Sum over the steps from `first` to before `end` of what each adds to the weight of a column, real units squared.
 * `squares` as in `weightNoise`; `kinds`: how each owner of the data encrypted.
 */
export function weightVariance(
  spec: TrainingSpec,
  column: number,
  squares: (column: number) => number,
  kinds: readonly EncryptionKind[],
  first = 0,
  end = spec.steps,
): number {
  const [geometry, scales] = [geometryOf(spec), weightScales(spec)];
  const integers = (_: number, f: number) => squares(f) * spec.feature_scale ** 2;
  const fixed = gradientVariance(geometry, column, integers, kinds) +
    errorVariance(geometry, column, integers, constantVariance(0));
  const lookups = spec.kind === "mlp" ? 2 : 1;
  const setting = lookupSettingOf(spec);
  const labels = spec.kind === "logistic" ? linearScales(spec).factors : undefined;
  let sum = 0;
  for (let t = first; t < end; t++) {
    const label = labels === undefined ? 0 : labels[t] ** 2 * encryptionVariance(kinds[0]);
    const written = errorVariance(geometry, column, integers, lookups * rotationVariance(setting) + label);
    const unit = scales.decays[t + 1] / scales.weightUnit;
    const step = rateOf(spec, t) / spec.batch_size;
    sum += (fixed + written) * unit ** 2;
    sum += geometry.rows * squares(column) * step ** 2 * errorReading(spec, scales, t);
  }
  return sum;
}

/** Variance of a score, or of a hidden sum, at its table. */
function scoreReading(spec: TrainingSpec, scales: WeightScales, step: number): number {
  const valuesLog = spec.kind === "mlp" ? 1 : 0;
  const unit = Q / TORUS / scales.scoreUnit * scales.decays[step];
  return (readingVariance(valuesLog) + switchVariance()) * unit ** 2;
}

/** What reading does to an error: the steepest slope of its table; for a network, of the last product with operands of 1. */
function errorReading(spec: TrainingSpec, scales: WeightScales, step: number): number {
  const score = scoreReading(spec, scales, step);
  if (spec.kind === "linear") return score;
  if (spec.kind === "logistic") return score / 16;
  const operand = (readingVariance() + switchVariance()) / (TORUS * OPERAND_UNIT) ** 2;
  return operand / HIDDEN_FUNCTIONS[spec.hidden.activation].derivativeScale ** 2;
}
