/** Predictions of encrypted rows against the model in clear. */
import { evaluateNetwork } from "../models/network/mod.ts";
import type { NetworkModel } from "../models/network/types.ts";
import { evaluate, type Model, predict, type Prediction, type Row } from "../models/mod.ts";

/** A regression value agrees when it is this near, relative to values above 1: exact circuits, and networks with their noise. */
const VALUE_TOLERANCE = 1e-3;
const NETWORK_TOLERANCE = 0.1;

/** How the two sides compare. */
export interface Comparison {
  /** Rows with the same label (regression: the same value within a thousandth). */
  readonly agreeing: number;
  /** Largest difference of a score. */
  readonly largest: number;
}

/** Compares row by row. */
export function compareWithClear(
  model: Model | NetworkModel,
  rows: readonly Row[],
  predictions: readonly Prediction[],
): Comparison {
  let agreeing = 0;
  let largest = 0;
  for (const [index, row] of rows.entries()) {
    const expected = clearPrediction(model, row);
    largest = Math.max(largest, ...expected.scores.map((score, at) => Math.abs(score - predictions[index].scores[at])));
    const tolerance = model.kind === "network" ? NETWORK_TOLERANCE : VALUE_TOLERANCE;
    if (agrees(expected, predictions[index], tolerance)) agreeing++;
  }
  return { agreeing, largest };
}

function clearPrediction(model: Model | NetworkModel, row: Row): Prediction {
  if (model.kind !== "network") return predict(model, evaluate(model, row).margins);
  return predict(model.outputs[0].output, evaluateNetwork(model, row)[0]);
}

function agrees(expected: Prediction, found: Prediction, tolerance: number): boolean {
  if (expected.label !== null) return expected.label === found.label;
  const [value] = expected.scores;
  return Math.abs(value - found.scores[0]) <= tolerance * Math.max(1, Math.abs(value));
}
