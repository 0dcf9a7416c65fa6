/** LinearClassifier and LinearRegressor of ONNX-ML. Source: the ONNX-ML operator pages. */
import { LEAF_VALUES_MAX } from "./limits.ts";
import type { OnnxPlan, Scaler } from "./onnx_graph.ts";
import { binaryOutput, checkLabels, multiclassOutput, postTransformOf, regressionOutput } from "./onnx_output.ts";
import { refuseModel } from "./refuse.ts";
import type { LinearModel, Output } from "./types.ts";

/** One score: weights and intercept. */
interface Score {
  readonly weights: readonly number[];
  readonly bias: number;
}

export type LinearParts = Pick<LinearModel, "weights" | "bias" | "output">;

export function readLinear(plan: OnnxPlan): LinearParts {
  const classifier = plan.operator === "LinearClassifier";
  const scores = scoresOf(plan).map((score) => plan.scalers.reduceRight(foldScaler, score));
  const { kept, output } = classifier ? classify(plan, scores) : regress(plan, scores);
  return { weights: kept.map((score) => score.weights), bias: kept.map((score) => score.bias), output };
}

function scoresOf({ core, operator, featureCount }: OnnxPlan): Score[] {
  const coefficients = core.floats("coefficients");
  const intercepts = core.floats("intercepts");
  const count = intercepts.length ||
    (operator === "LinearRegressor" ? core.int("targets", 1) : countOfRows(coefficients, featureCount));
  const width = coefficients.length / count;
  if (!Number.isInteger(width) || width < 1 || (featureCount !== undefined && width !== featureCount)) {
    refuseModel(
      `${core.label} has ${coefficients.length} coefficients for ${count} scores of ${featureCount ?? "its"} features.`,
    );
  }
  if (coefficients.length > LEAF_VALUES_MAX) {
    refuseModel(`${core.label} has more than ${LEAF_VALUES_MAX} coefficients.`);
  }
  return Array.from({ length: count }, (_, score) => ({
    weights: coefficients.slice(score * width, (score + 1) * width),
    bias: intercepts[score] ?? 0,
  }));
}

function countOfRows(coefficients: readonly number[], featureCount: number | undefined): number {
  return featureCount ? coefficients.length / featureCount : 1;
}

/** w (x - offset) scale + b = (w scale) x + (b - sum w scale offset). */
function foldScaler(score: Score, { offset, scale }: Scaler): Score {
  const at = (list: readonly number[], index: number, absent: number) =>
    list.length === 1 ? list[0] : list[index] ?? absent;
  const weights = score.weights.map((weight, index) => weight * at(scale, index, 1));
  const shift = weights.reduce((sum, weight, index) => sum + weight * at(offset, index, 0), 0);
  return { weights, bias: score.bias - shift };
}

function regress({ core, normalised }: OnnxPlan, scores: Score[]): { kept: Score[]; output: Output } {
  if (scores.length !== 1) refuseModel(`${core.label} has ${scores.length} targets; export one model a target.`);
  if (normalised) refuseModel(`${core.label} is followed by a Normalizer, which is not supported.`);
  const post = postTransformOf(core.string("post_transform", "NONE"), core.label);
  return { kept: scores, output: regressionOutput(post, 0, core.label) };
}

function classify({ core, normalised }: OnnxPlan, scores: Score[]): { kept: Score[]; output: Output } {
  const labels = core.labels("classlabels_ints", "classlabels_strings");
  const post = postTransformOf(core.string("post_transform", "NONE"), core.label);
  checkLabels(labels, core.label);
  if (labels.length === 2) {
    const binary = binaryScore(scores, post);
    if (binary) {
      const output = post === "NONE" ? binaryOutput(labels, "identity", 0) : binaryOutput(labels, "logistic", 0.5);
      return { kept: [binary], output };
    }
  }
  if (scores.length !== labels.length) {
    refuseModel(`${core.label} has ${scores.length} scores for ${labels.length} labels.`);
  }
  const base = scores.map(() => 0);
  return { kept: scores, output: multiclassOutput(labels, post, base, normalised, core.label) };
}

/** The one score that decides between two labels, where the scores are opposite or only their difference counts. */
function binaryScore(scores: Score[], post: "NONE" | "LOGISTIC" | "SOFTMAX"): Score | undefined {
  if (scores.length === 1) return post === "SOFTMAX" ? undefined : scores[0];
  if (scores.length !== 2) return undefined;
  const [negative, positive] = scores;
  if (post === "SOFTMAX") {
    return {
      weights: positive.weights.map((weight, index) => weight - negative.weights[index]),
      bias: positive.bias - negative.bias,
    };
  }
  const opposite = positive.bias === -negative.bias &&
    positive.weights.every((weight, index) => weight === -negative.weights[index]);
  return opposite ? positive : undefined;
}
