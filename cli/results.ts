/** Predictions as the commands print them. */
import { predictionsCsv } from "../client/mod.ts";
import type { Output, Prediction } from "../models/types.ts";

/** CSV, or a JSON array of `{label, scores}`. */
export function formatPredictions(
  output: Pick<Output, "task" | "labels">,
  predictions: readonly Prediction[],
  json: boolean | undefined,
): string {
  return json ? JSON.stringify(predictions) + "\n" : predictionsCsv(output, predictions);
}
