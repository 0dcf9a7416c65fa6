/** From an ONNX classifier's post_transform to an output. */
import { refuseModel } from "./refuse.ts";
import type { Output } from "./types.ts";

/** The post_transform attribute's values that are supported. */
export type PostTransform = "NONE" | "LOGISTIC" | "SOFTMAX";

export function postTransformOf(text: string, where: string): PostTransform {
  if (text === "NONE" || text === "LOGISTIC" || text === "SOFTMAX") return text;
  return refuseModel(`${where} has the post_transform "${text}"; supported are NONE, LOGISTIC and SOFTMAX.`);
}

/**
 * Above it a summed probability is more than a half. The file's weights are rounded to single precision, each by a factor of
 * at most 1 + 2^-24, so votes that tie where the model was trained may sum to this much here, and a tie is negative.
 */
export const HALF_OF_SUM = 0.5 * (1 + 2 ** -24);

/** One score, of the positive label. `threshold`: 0 for a margin, 0.5 for a logistic, `HALF_OF_SUM` for summed probabilities. */
export function binaryOutput(
  labels: readonly (string | number)[],
  transform: "identity" | "logistic",
  threshold: number,
  base = 0,
): Output {
  return { task: "binary", transform, base: [base], labels, threshold };
}

/** One score a label. */
export function multiclassOutput(
  labels: readonly (string | number)[],
  post: PostTransform,
  base: readonly number[],
  normalised: boolean,
  where: string,
): Output {
  if (normalised && post === "NONE") {
    refuseModel(`${where} is followed by a Normalizer of plain scores, which is not supported.`);
  }
  const logistic = normalised ? "one_vs_rest_logistic" : "logistic";
  const transform = post === "NONE" ? "identity" : post === "SOFTMAX" ? "softmax" : logistic;
  return { task: "multiclass", transform, base, labels, threshold: 0 };
}

export function regressionOutput(post: PostTransform, base: number, where: string): Output {
  if (post === "SOFTMAX") refuseModel(`${where} has the post_transform SOFTMAX of one value, which makes no sense.`);
  return {
    task: "regression",
    transform: post === "NONE" ? "identity" : "logistic",
    base: [base],
    labels: [],
    threshold: 0,
  };
}

/** @throws SottoError `model_refused` for fewer than two labels, or one twice */
export function checkLabels(labels: readonly (string | number)[], where: string): void {
  if (labels.length < 2) refuseModel(`${where} has ${labels.length} class labels; a classifier needs at least two.`);
  if (new Set(labels).size !== labels.length) refuseModel(`${where} has a class label twice.`);
}
