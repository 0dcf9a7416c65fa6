/** A run on public rows, in floating point and as the encrypted one: what its noise costs in quality. */
import { UniformSource } from "../random.ts";
import { qualityOf, trainClear } from "./clear.ts";
import { type TrainingData, unitRow } from "./data.ts";
import { simulateTraining } from "./simulate.ts";
import { columnCount, scaled, type Scaling, scoreCount, type TrainingSpec } from "./spec.ts";

export interface Rehearsal {
  readonly rows: number;
  readonly steps: number;
  /** Share of right classes, or R^2, on the rehearsal's rows. */
  readonly clear_quality: number;
  readonly simulated_quality: number;
  /** Root mean square of the simulated weights' errors, over that of the clear weights: of the first layer. */
  readonly weight_error: number;
  readonly out_of_range: number;
  /** Largest |sum| over the range of its table. */
  readonly largest_sum: number;
}

const ROWS_MAX = 512;
const STEPS_MAX = 200;
/** Multiply-adds of integers that take about two seconds. */
const PRODUCTS_MAX = 2e7;

/** null where a rehearsal would take longer than seconds. */
export function rehearse(spec: TrainingSpec, rowCount: number, sample?: TrainingData): Rehearsal | null {
  const units = spec.kind === "mlp" ? 4 * spec.hidden.width * scoreCount(spec) : scoreCount(spec);
  const perStep = 2 * units * spec.batch_size * columnCount(spec);
  const steps = Math.min(spec.steps, STEPS_MAX, Math.floor(PRODUCTS_MAX / perStep));
  if (steps < Math.min(spec.steps, 20)) return null;
  const short = { ...spec, steps };
  const data = sample ?? madeRows(spec, Math.min(rowCount, ROWS_MAX));
  const clear = trainClear(short, data);
  const { weights, outOfRange, largest } = simulateTraining(short, data);
  const all = clear.first.flatMap((row) => [...row]);
  const errors = weights.first.flatMap((row, s) => Array.from(row, (w, f) => w - clear.first[s][f]));
  return {
    rows: data.rows.length,
    steps,
    clear_quality: qualityOf(spec, clear, data),
    simulated_quality: qualityOf(spec, weights, data),
    weight_error: rms(errors) / rms(all),
    out_of_range: outOfRange,
    largest_sum: largest,
  };
}

/** Mean squares of features on [-1, 1]: of the sample, or of a Gaussian and a uniform column. */
export function squaresOf(spec: TrainingSpec, sample?: TrainingData): (column: number) => number {
  const bias = spec.features.length;
  if (sample === undefined) {
    const usual = (scaling: Scaling) => "mean" in scaling ? Math.min(1, 1 / spec.clip ** 2) : 1 / 3;
    return (column) => column === bias ? 1 : usual(spec.features[column]);
  }
  const sums = new Float64Array(bias + 1);
  for (const row of sample.rows) unitRow(spec, row).forEach((u, f) => sums[f] += u * u / sample.rows.length);
  return (column) => sums[column];
}

/** Rows of independent columns of the scaling's mean and deviation, and targets by a linear teacher with a little noise. */
export function madeRows(spec: TrainingSpec, count: number): TrainingData {
  const numbers = new UniformSource(new Uint8Array(32).fill(7));
  const uniform = () => 2 * numbers.below(2 ** 32) / 2 ** 32 - 1;
  const gaussian = () => uniform() + uniform() + uniform();
  const value = (s: Scaling) =>
    "mean" in s ? s.mean + s.deviation * gaussian() : (s.min + s.max + (s.max - s.min) * uniform()) / 2;
  const scores = scoreCount(spec);
  const teachers = Array.from(
    { length: scores },
    () => spec.features.map(() => uniform() / Math.sqrt(spec.features.length)),
  );
  const rows = Array.from({ length: count }, () => spec.features.map(value));
  const targets = rows.map((row) => {
    const units = row.map((x, f) => scaled(spec.features[f], spec.clip, x));
    const sums = teachers.map((t) => 3 * units.reduce((sum, u, f) => sum + u * t[f], 0) + 0.1 * gaussian());
    if (spec.kind === "linear") return targetOf(spec.target, spec.clip, sums[0]);
    return scores === 1 ? Number(sums[0] > 0) : sums.indexOf(Math.max(...sums));
  });
  return { rows, targets };
}

/** The inverse of `scaled`. */
function targetOf(scaling: Scaling, clip: number, u: number): number {
  if ("mean" in scaling) return scaling.mean + u * clip * scaling.deviation;
  return (u + 1) * (scaling.max - scaling.min) / 2 + scaling.min;
}

function rms(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(1, values.length));
}
