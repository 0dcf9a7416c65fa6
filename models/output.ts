/** From summed scores to a prediction: shared by the server's clear evaluation and by clients. */
import { SottoError } from "../errors.ts";
import type { Output, Prediction } from "./types.ts";

/**
 * What the training library says for one row.
 * @param summedScores one a score of the output, without its base
 * @returns `scores`: probabilities or values, one a score (binary: the positive label's); `label`: null for regression
 * @throws SottoError `internal` when the number of scores is not the output's
 */
export function finish(output: Output, summedScores: ArrayLike<number>): Prediction {
  if (summedScores.length !== output.base.length) {
    throw new SottoError("internal", `The output has ${output.base.length} scores, not ${summedScores.length}.`);
  }
  const margins = output.base.map((base, index) => base + summedScores[index]);
  const scores = transformed(output.transform, margins);
  return { label: choose(output, scores), scores };
}

function transformed(transform: Output["transform"], margins: number[]): number[] {
  switch (transform) {
    case "identity":
      return margins;
    case "exp":
      return margins.map(Math.exp);
    case "logistic":
      return margins.map(logistic);
    case "softmax":
      return softmax(margins);
    case "one_vs_rest_logistic":
      return normalised(margins.map(logistic));
  }
}

function logistic(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}

function softmax(margins: number[]): number[] {
  const top = margins.reduce((a, b) => Math.max(a, b), -Infinity);
  return normalised(margins.map((margin) => Math.exp(margin - top)));
}

function normalised(values: number[]): number[] {
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((value) => sum === 0 ? 1 / values.length : value / sum);
}

function choose(output: Output, scores: number[]): string | number | null {
  switch (output.task) {
    case "regression":
      return null;
    case "binary":
      return output.labels[scores[0] > output.threshold ? 1 : 0];
    case "multiclass":
      return output.labels[scores.reduce((best, score, index) => score > scores[best] ? index : best, 0)];
  }
}
