/** From what the graph's outputs stand for to scores, transforms and labels. */
import { checkWidth } from "../check.ts";
import { checkLabels } from "../onnx_output.ts";
import { refuseModel } from "../refuse.ts";
import type { Output } from "../types.ts";
import type { Walked } from "./graph.ts";
import type { Layers } from "./layers.ts";
import { sizeOf } from "./shapes.ts";
import type { NetworkOutput, TensorIndex } from "./types.ts";
import type { Curve, Value, View } from "./value.ts";

type Labels = readonly (string | number)[];

/** One output before its labels are known. */
interface Ending {
  readonly name: string;
  readonly tensor: TensorIndex;
  readonly count: number;
  readonly transform: Output["transform"];
  readonly pair: boolean;
  readonly labels?: Labels;
  /** Only the label was exported, not the scores. */
  readonly labelOnly: boolean;
}

/**
 * The network's outputs, in the file's order; a label goes with the scores that it is chosen from.
 * @throws SottoError `model_refused`
 */
export function outputsOf({ layers, outputs }: Walked): NetworkOutput[] {
  const endings = outputs.map(({ name, value }) => endingOf(layers, name, value));
  const labels = new Map(endings.filter((e) => e.labelOnly && e.labels).map((e) => [e.tensor, e.labels]));
  const scored = new Set(endings.filter((ending) => !ending.labelOnly).map((ending) => ending.tensor));
  return endings
    .filter((ending, index) =>
      !ending.labelOnly ||
      (!scored.has(ending.tensor) && endings.findIndex((e) => e.tensor === ending.tensor) === index)
    )
    .map((ending) => ({
      name: ending.name,
      tensor: ending.tensor,
      output: outputOf({ ...ending, labels: labels.get(ending.tensor) ?? ending.labels }),
    }));
}

function endingOf(layers: Layers, name: string, value: Value): Ending {
  const label = `The output "${name}"`;
  if (value.kind === "choice") {
    const inner = endingOf(layers, name, value.of);
    return { ...inner, labels: value.labels ?? inner.labels, labelOnly: true };
  }
  if (value.kind === "scores") {
    const { view, transform } = value.transform === "identity"
      ? withoutSigmoid(layers, value.of)
      : { view: value.of, transform: value.transform };
    return { ...ending(layers, name, view, transform, label), pair: value.pair, labels: value.labels };
  }
  if (value.kind === "curve") return curveEnding(layers, name, value, label);
  if (value.kind !== "view") return refuseModel(`${label} does not depend on the input; leave it out of the graph.`);
  if (value.padding) return refuseModel(`${label} is made by a Pad; leave the padding out.`);
  const { view, transform } = withoutSigmoid(layers, value);
  return ending(layers, name, view, transform, label);
}

function curveEnding(layers: Layers, name: string, curve: Curve, label: string): Ending {
  if (curve.exponential && curve.size === 1) return ending(layers, name, curve.root, "exp", label);
  return refuseModel(`${label} is made by ${curve.label}, which is not supported at the end of a network.`);
}

function ending(layers: Layers, name: string, view: View, transform: Output["transform"], label: string): Ending {
  const count = sizeOf(view.shape);
  return { name, tensor: layers.flatTensorOf(view, label), count, transform, pair: false, labelOnly: false };
}

/** A sigmoid at the end is the client's. */
function withoutSigmoid(layers: Layers, view: View): { view: View; transform: "identity" | "logistic" } {
  const layer = layers.layers[view.tensor - 1];
  if (layer?.kind !== "activation" || layer.activation.name !== "sigmoid") return { view, transform: "identity" };
  return { view: { ...view, tensor: layer.inputs[0] }, transform: "logistic" };
}

function outputOf({ name, count, transform, pair, labels }: Ending): Output {
  checkWidth("scores", count);
  const where = `The output "${name}"`;
  const base = new Array(count).fill(0);
  if (count === 1 && transform === "softmax") refuseModel(`${where} is a softmax of one score, which is always one.`);
  const binary = count === 1 && (pair || labels?.length === 2 || transform === "logistic");
  const regression = transform === "exp" || (count === 1 && !binary);
  if (regression) return { task: "regression", transform, base, labels: [], threshold: 0 };
  const named = labels?.length ? labels : Array.from({ length: binary ? 2 : count }, (_, index) => index);
  checkLabels(named, where);
  if (named.length !== (binary ? 2 : count)) refuseModel(`${where} has ${named.length} labels for ${count} scores.`);
  return binary
    ? { task: "binary", transform, base, labels: named, threshold: 0.5 }
    : { task: "multiclass", transform, base, labels: named, threshold: 0 };
}
