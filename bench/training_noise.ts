/** How far encrypted weights are from those of the same integers without noise, over what the formula bounds. */
import type { TrainingData, TrainingSpec, Weights } from "../circuits/training/mod.ts";
import { simulateTraining } from "../circuits/training/mod.ts";
import { realWeights } from "../circuits/training/decode.ts";
import { centredModulus } from "../circuits/training/random_noise.ts";
import { squaresOf } from "../circuits/training/rehearse.ts";
import { weightVariance } from "../circuits/training/step_noise.ts";

/** Root mean square deviations of weights after one step, as shares; 0 for a layer that is not there. */
export interface WeightDeviation {
  /** First layer: over the deviation of the noise formula after as many steps, nothing of it unlearnt. */
  readonly first: number;
  /** Second layer: over that of simulated runs with noise. */
  readonly second: number;
}

/** Simulated runs that the second layer is compared with. */
const SIMULATED_RUNS = 4;

/** Compares weights after each of the first steps. */
export class NoiseReference {
  /** Weights after each step, from the first. */
  readonly #quiet: readonly Weights[];
  /** Of each simulated run. */
  readonly #noisy: readonly (readonly Weights[])[];
  /** Variance of each column after each step. */
  readonly #variances: readonly Float64Array[];

  /** `steps`: how many steps can be compared. */
  constructor(spec: TrainingSpec, data: TrainingData, steps: number) {
    this.#quiet = trajectory(spec, data, steps, { noise: false });
    const runs = spec.kind === "mlp" ? SIMULATED_RUNS : 0;
    const seeds = Array.from({ length: runs }, (_, i) => new Uint8Array(32).fill(i + 1));
    this.#noisy = seeds.map((seed) => trajectory(spec, data, steps, { seed }));
    this.#variances = variances(spec, data, steps);
  }

  /** `step` counts from 1. */
  deviation(step: number, weights: Weights): WeightDeviation {
    const quiet = this.#quiet[step - 1];
    const variance = this.#variances[step - 1];
    const ratios = weights.first.flatMap((row, s) =>
      Array.from(row, (w, f) => (w - quiet.first[s][f]) ** 2 / variance[f])
    );
    const first = Math.sqrt(mean(ratios));
    if (this.#noisy.length === 0) return { first, second: 0 };
    const simulated = mean(this.#noisy.map((run) => squareDistance(run[step - 1].second, quiet.second)));
    return { first, second: Math.sqrt(squareDistance(weights.second, quiet.second) / simulated) };
  }
}

function trajectory(
  spec: TrainingSpec,
  data: TrainingData,
  steps: number,
  options: { readonly noise?: boolean; readonly seed?: Uint8Array },
): Weights[] {
  const all: Weights[] = [];
  simulateTraining(spec, data, {
    ...options,
    onStep: (step, { first, second }) => {
      if (step > steps) return;
      const integers = first.map((row) => Float64Array.from(row, (x) => Number(centredModulus(x))));
      all.push(realWeights(spec, { first: integers, second }, step));
    },
  });
  return all;
}

function variances(spec: TrainingSpec, data: TrainingData, steps: number): Float64Array[] {
  const squares = squaresOf(spec, data);
  const sums = new Float64Array(spec.features.length + 1);
  return Array.from({ length: steps }, (_, t) => {
    sums.forEach((_, f) => sums[f] += weightVariance(spec, f, squares, ["seeded"], t, t + 1));
    return sums.slice();
  });
}

/** Mean square difference of two tables of the same shape. */
function squareDistance(left: readonly Float64Array[], right: readonly Float64Array[]): number {
  return mean(left.flatMap((row, r) => Array.from(row, (x, c) => (x - right[r][c]) ** 2)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
