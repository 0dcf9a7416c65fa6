/** The same training in floating point, and what a model says: the reference of everything encrypted. */
import { labelsOf, type TrainingData, unitRow } from "./data.ts";
import { firstWeights, type Weights } from "./first_weights.ts";
import { batchesOf, batchOrder, rateOf } from "./schedule.ts";
import type { MlpSpec, TrainingSpec } from "./spec.ts";
import { sigmoid } from "./tables.ts";

export interface TrainOptions {
  /** Sees the weights after every step. */
  readonly onStep?: (step: number, weights: Weights) => void;
}

/** Weights after all steps of mini-batch gradient descent on unrounded data, with batches and order of the specification. */
export function trainClear(spec: TrainingSpec, data: TrainingData, options: TrainOptions = {}): Weights {
  const weights = firstWeights(spec);
  const rows = data.rows.map((row) => unitRow(spec, row));
  const labels = rows.map((_, i) => labelsOf(spec, data.targets[i]));
  const batches = batchesOf(spec, rows.length);
  batchOrder(spec, batches.length).forEach((batch, step) => {
    const rate = rateOf(spec, step);
    const gradients = zeroLike(weights);
    for (const row of batches[batch]) addGradient(spec, weights, gradients, rows[row], labels[row]);
    descend(weights.first, gradients.first, rate / spec.batch_size, 1 - rate * spec.l2);
    descend(weights.second, gradients.second, rate / spec.batch_size, 1 - rate * spec.l2);
    options.onStep?.(step + 1, weights);
  });
  return weights;
}

/** Scores of a row on [-1, 1], before any sigmoid. */
export function scoresOf(spec: TrainingSpec, weights: Weights, units: Float64Array): Float64Array {
  const first = Float64Array.from(weights.first, (row) => dot(row, units));
  if (spec.kind !== "mlp") return first;
  const hidden = withOne(first.map((z) => activation(spec, z)));
  return Float64Array.from(weights.second, (row) => dot(row, hidden));
}

/** Share of rows whose class is right; of a regression the coefficient of determination R^2. */
export function qualityOf(spec: TrainingSpec, weights: Weights, data: TrainingData): number {
  const scores = data.rows.map((row) => scoresOf(spec, weights, unitRow(spec, row)));
  if (spec.kind !== "linear") {
    return scores.filter((score, i) => classOf(score) === data.targets[i]).length / scores.length;
  }
  const targets = scores.map((_, i) => labelsOf(spec, data.targets[i])[0]);
  const mean = targets.reduce((sum, y) => sum + y, 0) / targets.length;
  const squares = (value: (i: number) => number) => targets.reduce((sum, y, i) => sum + (y - value(i)) ** 2, 0);
  return 1 - squares((i) => scores[i][0]) / squares(() => mean);
}

/** The class of scores: above zero the second of two, the largest otherwise. */
export function classOf(scores: Float64Array): number {
  if (scores.length === 1) return Number(scores[0] > 0);
  return scores.reduce((best, score, c) => score > scores[best] ? c : best, 0);
}

function addGradient(
  spec: TrainingSpec,
  weights: Weights,
  gradients: Weights,
  units: Float64Array,
  labels: Float64Array,
): void {
  const scores = scoresOf(spec, weights, units);
  const errors = scores.map((score, c) => {
    if (spec.kind !== "linear") return sigmoid(score) - labels[c];
    return Math.max(-spec.error_clip, Math.min(spec.error_clip, score - labels[c]));
  });
  if (spec.kind !== "mlp") return errors.forEach((error, c) => addTo(gradients.first[c], error, units));
  const sums = Float64Array.from(weights.first, (row) => dot(row, units));
  const hidden = withOne(sums.map((z) => activation(spec, z)));
  errors.forEach((error, c) => addTo(gradients.second[c], error, hidden));
  sums.forEach((z, h) => {
    const back = errors.reduce((sum, error, c) => sum + error * weights.second[c][h], 0);
    addTo(gradients.first[h], back * slope(spec, z), units);
  });
}

function activation(spec: MlpSpec, z: number): number {
  return spec.hidden.activation === "relu" ? Math.max(0, z) : sigmoid(z);
}

function slope(spec: MlpSpec, z: number): number {
  return spec.hidden.activation === "relu" ? Number(z > 0) : sigmoid(z) * (1 - sigmoid(z));
}

function descend(
  weights: readonly Float64Array[],
  gradients: readonly Float64Array[],
  rate: number,
  keep: number,
): void {
  weights.forEach((row, s) => row.forEach((w, f) => row[f] = keep * w - rate * gradients[s][f]));
}

function zeroLike({ first, second }: Weights): Weights {
  const zero = (rows: readonly Float64Array[]) => rows.map((row) => new Float64Array(row.length));
  return { first: zero(first), second: zero(second) };
}

function withOne(values: Float64Array): Float64Array {
  const all = new Float64Array(values.length + 1).fill(1);
  all.set(values);
  return all;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addTo(sums: Float64Array, factor: number, values: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += factor * values[i];
}
