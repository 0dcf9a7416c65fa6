/** The objectives of LightGBM: what they make of a score. */
import { refuseModel } from "./refuse.ts";
import type { Output } from "./types.ts";

const IDENTITY = ["regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"];
const EXPONENTIAL = ["poisson", "gamma", "tweedie"];
const LOGISTIC = ["binary", "cross_entropy", "xentropy"];
const MULTICLASS = ["multiclass", "softmax", "multiclassova"];

/** The output, and the factor of every leaf value (LightGBM's parameter `sigmoid`). */
export interface LightgbmOutput {
  readonly output: Output;
  readonly factor: number;
}

/**
 * @param line the header's `objective`: a name and parameters, like "binary sigmoid:1"
 * @param scoreCount trees an iteration
 */
export function outputOf(line: string, scoreCount: number): LightgbmOutput {
  const [name, ...parameters] = line.split(/\s+/);
  if (parameters.includes("sqrt")) refuseModel('The parameter reg_sqrt ("sqrt") is not supported; train without it.');
  const base = Array.from({ length: scoreCount }, () => 0);
  const output = (task: Output["task"], transform: Output["transform"]): Output => {
    const labelCount = task === "regression" ? 0 : task === "binary" ? 2 : scoreCount;
    return {
      task,
      transform,
      base,
      labels: Array.from({ length: labelCount }, (_, i) => i),
      threshold: task === "binary" ? 0.5 : 0,
    };
  };
  if (MULTICLASS.includes(name)) {
    if (scoreCount < 2) refuseModel(`The objective "${name}" needs at least two classes.`);
    const oneVsAll = name === "multiclassova";
    return {
      output: output("multiclass", oneVsAll ? "logistic" : "softmax"),
      factor: oneVsAll ? sigmoidOf(parameters) : 1,
    };
  }
  if (scoreCount !== 1) refuseModel(`The objective "${name}" cannot have ${scoreCount} scores.`);
  if (IDENTITY.includes(name)) return { output: output("regression", "identity"), factor: 1 };
  if (EXPONENTIAL.includes(name)) return { output: output("regression", "exp"), factor: 1 };
  if (name === "binary") return { output: output("binary", "logistic"), factor: sigmoidOf(parameters) };
  if (LOGISTIC.includes(name)) return { output: output("regression", "logistic"), factor: 1 };
  const known = [...IDENTITY, ...EXPONENTIAL, ...LOGISTIC, ...MULTICLASS].join(", ");
  return refuseModel(`The objective "${name}" is not supported; supported are ${known}.`);
}

function sigmoidOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("sigmoid:"));
  const value = text === undefined ? 1 : Number(text.slice("sigmoid:".length));
  if (!Number.isFinite(value) || value <= 0) {
    refuseModel(`The objective's parameter "${text}" is not a positive number.`);
  }
  return value;
}
