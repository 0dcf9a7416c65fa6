/** Weights before the first step: zero for regressions, public uniform numbers for networks. */
import { firstNumbers } from "./schedule.ts";
import { columnCount, scoreCount, type TrainingSpec } from "./spec.ts";

/** Real weights on features u in [-1, 1]. */
export interface Weights {
  /** One row a score, or a hidden unit of a network: the features' weights, the bias last. */
  readonly first: readonly Float64Array[];
  /** Of a network, one row a score: the hidden units' weights, the bias last. Empty otherwise. */
  readonly second: readonly Float64Array[];
}

export function firstWeights(spec: TrainingSpec): Weights {
  const [columns, scores] = [columnCount(spec), scoreCount(spec)];
  const zero = (count: number, length: number) => Array.from({ length: count }, () => new Float64Array(length));
  if (spec.kind !== "mlp") return { first: zero(scores, columns), second: [] };
  const { width } = spec.hidden;
  const first = zero(width, columns), second = zero(scores, width + 1);
  const numbers = firstNumbers(spec, width * (columns - 1) + scores * width);
  let at = 0;
  const fill = (row: Float64Array, count: number, bound: number) => {
    for (let i = 0; i < count; i++) row[i] = numbers[at++] * bound;
  };
  first.forEach((row) => fill(row, columns - 1, spec.clip / Math.sqrt(columns - 1)));
  second.forEach((row) => fill(row, width, 1 / Math.sqrt(width)));
  return { first, second };
}
