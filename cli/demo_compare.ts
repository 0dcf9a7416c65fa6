/** Predictions of encrypted rows against the model in clear. */
import { evaluate, type Model, predict, type Prediction, type Row } from "../models/mod.ts";

/** A regression value agrees when it is this near, relative to values above 1. */
const VALUE_TOLERANCE = 1e-3;

/** How the two sides compare. */
export interface Comparison {
  /** Rows with the same label (regression: the same value within a thousandth). */
  readonly agreeing: number;
  /** Largest difference of a score. */
  readonly largest: number;
}

/** Compares row by row. */
export function compareWithClear(model: Model, rows: readonly Row[], predictions: readonly Prediction[]): Comparison {
  let agreeing = 0;
  let largest = 0;
  for (const [index, row] of rows.entries()) {
    const expected = predict(model, evaluate(model, row).margins);
    largest = Math.max(largest, ...expected.scores.map((score, at) => Math.abs(score - predictions[index].scores[at])));
    if (agrees(expected, predictions[index])) agreeing++;
  }
  return { agreeing, largest };
}

function agrees(expected: Prediction, found: Prediction): boolean {
  if (expected.label !== null) return expected.label === found.label;
  const [value] = expected.scores;
  return Math.abs(value - found.scores[0]) <= VALUE_TOLERANCE * Math.max(1, Math.abs(value));
}
