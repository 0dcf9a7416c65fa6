/** One way to rearrange whatever a name stands for: constants are moved, views remember the order. */
import { pick, type Shape, sizeOf } from "./shapes.ts";
import type { Step } from "./step.ts";
import type { Value } from "./value.ts";

/** The shape of a value. */
export function shapeOf(value: Value): Shape {
  if (value.kind === "curve") return value.root.shape;
  return value.kind === "choice" ? [1] : value.shape;
}

/**
 * The value in another shape, its elements picked by `indices` where they are given.
 * @throws SottoError `model_refused` where it is an answer that is picked apart
 */
export function rearranged(step: Step, value: Value, shape: Shape, indices?: Uint32Array): Value {
  if (value.kind === "choice") return value;
  if (!indices && sizeOf(shape) !== sizeOf(shapeOf(value))) {
    step.refuse(`makes [${shape.join(", ")}] of a tensor of shape [${shapeOf(value).join(", ")}].`);
  }
  if (value.kind === "constant") {
    return { ...value, shape, values: indices ? pick(value.values, indices) : value.values };
  }
  if (value.kind === "texts") {
    return { ...value, shape, values: indices ? Array.from(indices, (index) => value.values[index]) : value.values };
  }
  if (value.kind === "scores") {
    return indices && indices.some((index, at) => index !== at)
      ? step.refuse(`takes scores of ${value.label} apart; end the network with all of them.`)
      : { ...value, shape };
  }
  step.layers.checkShape(shape, step.label);
  if (value.kind === "curve" && !value.factors) {
    return { ...value, root: step.layers.rearrange(value.root, shape, indices) };
  }
  const view = value.kind === "curve" ? step.layerOf(value) : value;
  if (view.padding) step.refuse("follows a Pad; only convolutions and average pools take padding.");
  return step.layers.rearrange(view, shape, indices);
}
