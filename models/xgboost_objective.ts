/** The objectives of XGBoost: what they make of a margin, and of base_score. */
import { refuseModel } from "./refuse.ts";
import type { Output } from "./types.ts";

interface Objective {
  readonly task: Output["task"];
  readonly transform: Output["transform"];
  /** base_score is stored as the objective's value (binary:logitraw: as a margin); its margin is what trees add to. */
  readonly toMargin: (base: number) => number;
  readonly threshold: number;
}

const identity = (base: number) => base;
const logit = (base: number) => -Math.log(1 / base - 1);

function objective(
  task: Output["task"],
  transform: Output["transform"] = "identity",
  toMargin = identity,
  threshold = 0,
): Objective {
  return { task, transform, toMargin, threshold };
}

const VALUE = objective("regression");
const LOG_LINK = objective("regression", "exp", Math.log);
const SOFTMAX = objective("multiclass", "softmax");

const OBJECTIVES = new Map<string, Objective>([
  ["binary:logistic", objective("binary", "logistic", logit, 0.5)],
  ["binary:logitraw", objective("binary")],
  ["binary:hinge", objective("binary")],
  ["multi:softprob", SOFTMAX],
  ["multi:softmax", SOFTMAX],
  ["reg:squarederror", VALUE],
  ["reg:linear", VALUE],
  ["reg:absoluteerror", VALUE],
  ["reg:pseudohubererror", VALUE],
  ["reg:squaredlogerror", VALUE],
  ["reg:quantileerror", VALUE],
  ["reg:logistic", objective("regression", "logistic", logit)],
  ["count:poisson", LOG_LINK],
  ["reg:gamma", LOG_LINK],
  ["reg:tweedie", LOG_LINK],
  ["rank:pairwise", VALUE],
  ["rank:ndcg", VALUE],
  ["rank:map", VALUE],
]);

/**
 * The output of a model.
 * @param baseScores one, or one a class
 * @param classCount 0 for models of one score
 */
export function outputOf(name: string, baseScores: readonly number[], classCount: number): Output {
  const { task, transform, toMargin, threshold } = OBJECTIVES.get(name) ??
    refuseModel(`The objective "${name}" is not supported; supported are ${[...OBJECTIVES.keys()].join(", ")}.`);
  const scoreCount = task === "multiclass" ? classCount : 1;
  if (task === "multiclass" && classCount < 2) refuseModel(`The objective "${name}" needs at least two classes.`);
  if (task !== "multiclass" && classCount > 1) {
    refuseModel(`The objective "${name}" cannot have ${classCount} classes.`);
  }
  if (baseScores.length !== 1 && baseScores.length !== scoreCount) {
    refuseModel(`The file has ${baseScores.length} base scores for ${scoreCount} scores.`);
  }
  const base = Array.from(
    { length: scoreCount },
    (_, i) => Math.fround(toMargin(baseScores[baseScores.length === 1 ? 0 : i])) + 0,
  );
  return { task, transform, base, labels: labelsOf(task, scoreCount), threshold };
}

function labelsOf(task: Output["task"], scoreCount: number): number[] {
  return task === "regression" ? [] : Array.from({ length: task === "binary" ? 2 : scoreCount }, (_, label) => label);
}
