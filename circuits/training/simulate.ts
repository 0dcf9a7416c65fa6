/**
 * A training run in clear with exactly the integers and the noise of the encrypted one, all noise Gaussian of the variances of
 * `noise.ts` and seeded: what plans, accuracy reports and tests use. Without noise it gives the bytes of the plain back end.
 */
import { dataIntegers, labelIntegers, type TrainingData, unitRow } from "./data.ts";
import { realWeights } from "./decode.ts";
import { firstWeights, type Weights } from "./first_weights.ts";
import { weightIntegers } from "./first_state.ts";
import { geometryOf } from "./geometry.ts";
import { errorVariance, gradientVariance } from "./noise.ts";
import { centredModulus, RandomNoise, type SimulateOptions } from "./random_noise.ts";
import { batchesOf, batchOrder } from "./schedule.ts";
import { LinearErrors } from "./simulate_linear.ts";
import { MlpErrors } from "./simulate_mlp.ts";
import type { TrainingSpec } from "./spec.ts";

export interface SimulateTrainingOptions extends SimulateOptions {
  /** Sees the integers of all weights after every step. */
  readonly onStep?: (step: number, state: SimulatedState) => void;
}

/** Integers that the ciphertexts of a run hold. */
export interface SimulatedState {
  /** One row a score or hidden unit, in [0, q). */
  readonly first: BigUint64Array[];
  /** One row a score, on the 32-bit torus, centred. */
  readonly second: Float64Array[];
}

export interface SimulatedTraining {
  readonly weights: Weights;
  readonly state: SimulatedState;
  /** Share of scores (and of a network's hidden sums) that lay beyond the range of their table. */
  readonly outOfRange: number;
  /** The largest |sum| that a table was read at, as a share of its range: above 1 it wrapped. */
  readonly largest: number;
}

/** What simulated errors are made of. */
export interface SimulatedBatch {
  /** Integers of all rows, the batch's first. */
  readonly rows: readonly Int32Array[];
  readonly labels: readonly Int32Array[];
}

/** Errors of one batch, and how much noise they carry. */
export interface ErrorSource {
  /** Error of row i and unit s at [i][s], mod q; `state.second` is advanced. */
  of(step: number, state: SimulatedState, batch: SimulatedBatch): bigint[][];
  /** Variance of the noise of an error that is not yet in it: that of its way to a constant. */
  readonly variance: number;
  readonly outOfRange: number;
  readonly largest: number;
}

export function simulateTraining(
  spec: TrainingSpec,
  data: TrainingData,
  options: SimulateTrainingOptions = {},
): SimulatedTraining {
  const noise = new RandomNoise(options);
  const errors: ErrorSource = spec.kind === "mlp" ? new MlpErrors(spec, noise) : new LinearErrors(spec, noise);
  const rows = data.rows.map((row) => dataIntegers(spec, unitRow(spec, row)));
  const labels = rows.map((_, i) => labelIntegers(spec, data.targets[i]));
  const state: SimulatedState = weightIntegers(spec, firstWeights(spec), 0);
  const update = new Update(spec, noise, errors.variance, rows);
  const batches = batchesOf(spec, rows.length);
  batchOrder(spec, batches.length).forEach((index, step) => {
    const members = [...batches[index]];
    const batch = { rows: members.map((i) => rows[i]), labels: members.map((i) => labels[i]) };
    update.apply(state, batch, errors.of(step, state, batch));
    options.onStep?.(step + 1, state);
  });
  const integers = { first: state.first.map((row) => Float64Array.from(row, (x) => Number(centredModulus(x)))) };
  const weights = realWeights(spec, { ...integers, second: state.second }, spec.steps);
  return { weights, state, outOfRange: errors.outOfRange, largest: errors.largest };
}

/** Adds X E to the weights, with the noise of the way; the data's squares are taken as those of the mean row. */
class Update {
  readonly #variances: Float64Array;

  constructor(
    spec: TrainingSpec,
    readonly noise: RandomNoise,
    errorNoise: number,
    rows: readonly Int32Array[],
  ) {
    const geometry = geometryOf(spec);
    const means = meanSquares(rows);
    const squares = (_: number, column: number) => means[column];
    this.#variances = Float64Array.from(
      means,
      (_, column) =>
        gradientVariance(geometry, column, squares, ["seeded"]) + errorVariance(geometry, column, squares, errorNoise),
    );
  }

  apply(state: SimulatedState, { rows }: SimulatedBatch, errors: bigint[][]): void {
    const wide = rows.map((row) => Array.from(row, BigInt));
    state.first.forEach((weights, unit) => {
      for (let f = 0; f < weights.length; f++) {
        let sum = weights[f];
        for (let i = 0; i < wide.length; i++) sum += wide[i][f] * centredModulus(errors[i][unit]);
        weights[f] = this.noise.modular(sum, this.#variances[f]);
      }
    });
  }
}

/** Mean of x_f^2 over all rows. */
export function meanSquares(rows: readonly Int32Array[]): Float64Array {
  const sums = new Float64Array(rows[0].length);
  for (const row of rows) row.forEach((x, f) => sums[f] += x * x / rows.length);
  return sums;
}

/** sum_f x_f v_f. */
export function exactDot(row: Int32Array, weights: BigUint64Array): bigint {
  let sum = 0n;
  row.forEach((x, f) => {
    if (x !== 0) sum += BigInt(x) * centredModulus(weights[f]);
  });
  return sum;
}
