/** Predictions as CSV and JSON: what `sotto predict`, `sotto decrypt` and the demo write. */
import { stringify } from "csv-stringify/sync";
import type { Output, Prediction } from "../models/types.ts";

/**
 * Column names of a predictions file: `value` (regression), `label,probability_1` (binary) or
 * `label,probability_0,...` (multi-class; the number is the index of the label).
 */
export function predictionColumns(output: Pick<Output, "task" | "labels">): string[] {
  if (output.task === "regression") return ["value"];
  if (output.task === "binary") return ["label", "probability_1"];
  return ["label", ...output.labels.map((_, index) => `probability_${index}`)];
}

/** The cells of one prediction, in the order of `predictionColumns`. */
export function predictionCells(output: Pick<Output, "task">, prediction: Prediction): (string | number)[] {
  if (output.task === "regression") return [prediction.scores[0]];
  const scores = output.task === "binary" ? prediction.scores.slice(-1) : prediction.scores;
  return [prediction.label ?? "", ...scores];
}

/** A header line and one line a row. */
export function predictionsCsv(output: Pick<Output, "task" | "labels">, predictions: readonly Prediction[]): string {
  return stringify(
    [predictionColumns(output), ...predictions.map((prediction) => predictionCells(output, prediction))],
    {
      cast: { number: (value) => String(value) },
    },
  );
}
