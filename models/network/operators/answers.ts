/** What stands at the end of a network: probabilities, the largest score, labels. */
import { isFunction } from "../curve.ts";
import { shapeOf } from "../rearranged.ts";
import { type Shape, sizeOf } from "../shapes.ts";
import type { Operator, Step } from "../step.ts";
import type { Scores, Value, View } from "../value.ts";

export const ANSWERS: Readonly<Record<string, Operator>> = {
  Softmax: softmax,
  LogSoftmax: softmax,
  ArgMax: argMax,
  ArrayFeatureExtractor: (step) => labelled(step, step.value(0), step.value(1)),
  ZipMap: zipMap,
  Normalizer: normalizer,
};

/** Over all scores of a row. Logarithms of probabilities are answered as the probabilities. */
function softmax(step: Step): Value {
  const view = step.view(0);
  const { shape } = view;
  const rank = shape.length;
  const axis = step.axis(step.attributes.int("axis", step.opset < 13 ? 1 : -1), rank);
  const covered = step.opset < 13 ? sizeOf(shape.slice(axis)) : shape[axis];
  if (covered !== sizeOf(shape)) {
    step.refuse(
      `works on ${covered} of ${
        sizeOf(shape)
      } scores at a time; only one softmax over all scores of a row, at the end, ` +
        "is supported.",
    );
  }
  return { kind: "scores", of: view, transform: "softmax", pair: false, shape, label: step.label };
}

function argMax(step: Step): Value {
  const value = step.value(0);
  const of = value.kind === "scores" ? value : step.view(0);
  const shape = shapeOf(of);
  const axis = step.axis(step.attributes.int("axis", 0), shape.length);
  if (shape[axis] !== sizeOf(shape)) {
    step.refuse("takes the largest of a part of the scores; take it over all of them.");
  }
  if (step.attributes.int("select_last_index", 0) !== 0) step.refuse("takes the last of equal scores; take the first.");
  return { kind: "choice", of, label: step.label };
}

/** Probabilities by label; they become the labels of the scores. */
function zipMap(step: Step): Value {
  const value = step.value(0);
  const labels = step.attributes.labels("classlabels_int64s", "classlabels_strings");
  const scores: Scores = value.kind === "scores" ? value : plainScores(step, step.view(0));
  return { ...scores, labels };
}

function plainScores(step: Step, view: View): Scores {
  return { kind: "scores", of: view, transform: "identity", pair: false, shape: view.shape, label: step.label };
}

/** Probabilities that add up to one already stay as they are. */
function normalizer(step: Step): Value {
  const value = step.value(0);
  if (value.kind === "scores" && (value.transform === "softmax" || value.pair)) {
    if (step.attributes.string("norm", "MAX") === "L1") return value;
  }
  return step.refuse("is supported only after probabilities, with the norm L1.");
}

/** [1 - p, p], as exporters write the probabilities of two classes. */
export function pairOf(step: Step, views: readonly View[], shape: Shape): Scores | undefined {
  if (views.length !== 2 || views.some((view) => sizeOf(view.shape) !== 1)) return undefined;
  const [negative, positive] = views;
  const origin = step.layers.origin(negative.tensor);
  if (origin?.from !== positive.tensor || !isFunction(origin.apply, (x) => 1 - x)) return undefined;
  return { kind: "scores", of: positive, transform: "identity", pair: true, shape, label: step.label };
}

/** The choice, with the labels that the file lists. */
export function labelled(step: Step, labels: Value, choice: Value): Value {
  if (choice.kind !== "choice" || (labels.kind !== "constant" && labels.kind !== "texts")) {
    return step.refuse("looks up a label otherwise than by the largest score.");
  }
  return { ...choice, labels: Array.from<string | number>(labels.values) };
}
