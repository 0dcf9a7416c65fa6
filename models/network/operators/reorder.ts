/** Operators that move elements and compute nothing. */
import { layerShape } from "../layers.ts";
import { rearranged, shapeOf } from "../rearranged.ts";
import {
  broadcastIndices,
  broadcastShape,
  pickIndices,
  range,
  type Shape,
  sizeOf,
  transposeIndices,
} from "../shapes.ts";
import type { Operator, Step } from "../step.ts";
import type { Value, View } from "../value.ts";
import { labelled, pairOf } from "./answers.ts";

/** Inputs that pass unchanged. */
const same: Operator = (step) => step.value(0);

export const REORDER: Readonly<Record<string, Operator>> = {
  Identity: same,
  Dropout: (step) => {
    if (step.has(2) && step.constant(2).values.some((training) => training !== 0)) {
      step.refuse("is in training mode; put the model into evaluation mode before exporting it.");
    }
    return same(step);
  },
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Gather: gather,
  Concat: concat,
};

function reshape(step: Step): Value {
  const value = step.value(0);
  const wanted = step.integers("shape", 1) ?? step.refuse("does not say which shape it makes.");
  if (value.kind === "choice") return value;
  const from = shapeOf(value);
  const copies = step.attributes.int("allowzero", 0) === 0;
  const shape = wanted.map((size, axis) => size === 0 && copies ? from[axis] ?? 0 : size);
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = sizeOf(from) / -sizeOf(shape);
  if (shape.some((size) => !Number.isInteger(size) || size < 0)) {
    step.refuse(`makes [${wanted.join(", ")}] of a tensor of shape [${from.join(", ")}].`);
  }
  return rearranged(step, value, shape);
}

function flatten(step: Step): Value {
  const value = step.value(0);
  const shape = shapeOf(value);
  const given = step.attributes.int("axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  return rearranged(step, value, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
}

function squeeze(step: Step): Value {
  const value = step.value(0);
  const shape = shapeOf(value);
  if (value.kind === "choice") return value;
  const axes = step.integers("axes", 1)?.map((axis) => step.axis(axis, shape.length));
  return rearranged(step, value, shape.filter((size, axis) => axes ? !axes.includes(axis) : size !== 1));
}

function unsqueeze(step: Step): Value {
  const value = step.value(0);
  if (value.kind === "choice") return value;
  const given = step.integers("axes", 1) ?? step.refuse("does not say which axes it adds.");
  const rank = shapeOf(value).length + given.length;
  const axes = given.map((axis) => step.axis(axis, rank));
  const rest = [...shapeOf(value)];
  return rearranged(step, value, range(rank).map((axis) => axes.includes(axis) ? 1 : rest.shift() ?? 1));
}

function transpose(step: Step): Value {
  const value = step.value(0);
  const shape = shapeOf(value);
  const given = step.attributes.has("perm") ? step.attributes.ints("perm") : range(shape.length).reverse();
  const permutation = given.map((axis) => step.axis(axis, shape.length));
  if (new Set(permutation).size !== shape.length || permutation.length !== shape.length) {
    step.refuse(`transposes the axes [${given.join(", ")}] of a tensor with ${shape.length}.`);
  }
  step.reserve(shape);
  return rearranged(step, value, permutation.map((axis) => shape[axis]), transposeIndices(shape, permutation));
}

function expand(step: Step): Value {
  const value = step.value(0);
  const shape = broadcastShape(shapeOf(value), Array.from(step.constant(1).values)) ??
    step.refuse("expands to a shape that does not fit its input.");
  if (sizeOf(shape) === sizeOf(shapeOf(value))) return rearranged(step, value, shape);
  step.layers.checkShape(shape, step.label);
  return rearranged(step, value, shape, broadcastIndices(shapeOf(value), shape));
}

/** Picks places of one axis; class labels by the position of the largest score. */
function gather(step: Step): Value {
  const [value, wanted] = [step.value(0), step.value(1)];
  if (wanted.kind === "choice") return labelled(step, value, wanted);
  const shape = shapeOf(value);
  const axis = step.axis(step.attributes.int("axis", 0), shape.length);
  const indices = step.constant(1);
  const places = Array.from(indices.values, (place) => placeOn(step, place, shape[axis]));
  const result = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  step.reserve(result);
  return rearranged(step, value, result, pickIndices(shape, shape.map((size, i) => i === axis ? places : range(size))));
}

function placeOn(step: Step, place: number, size: number): number {
  const front = place < 0 ? place + size : place;
  return Number.isInteger(front) && front >= 0 && front < size
    ? front
    : step.refuse(`picks the place ${place} of an axis with ${size}.`);
}

function concat(step: Step): Value {
  const values = step.inputs.map((_, index) => step.value(index));
  const rank = shapeOf(values[0] ?? step.refuse("joins nothing.")).length;
  const axis = step.axis(step.attributes.int("axis", 0), rank);
  const shapes = values.map(shapeOf);
  const fits = (shape: Shape) => shape.length === rank && shape.every((size, i) => i === axis || size === shapes[0][i]);
  if (!shapes.every(fits)) step.refuse("joins tensors of different shapes.");
  const shape = shapes[0].map((size, i) => i === axis ? shapes.reduce((sum, other) => sum + other[i], 0) : size);
  step.reserve(shape);
  const places = joinedPlaces(shapes, axis);
  const constants = values.filter((value) => value.kind === "constant");
  if (constants.length === values.length) {
    const values = constants.flatMap((constant) => Array.from(constant.values));
    const integer = constants.every((constant) => constant.integer);
    return { kind: "constant", shape, values: Float64Array.from(places, (place) => values[place]), integer };
  }
  if (constants.length > 0) step.refuse("joins a tensor of the network with a constant; leave the constant out.");
  const views = values.map((value, index) => value.kind === "curve" ? step.layerOf(value) : step.view(index));
  return pairOf(step, views, shape) ?? joined(step, views, shape, places);
}

/** Where each element of the result lies when the inputs are written one after the other. */
function joinedPlaces(shapes: readonly Shape[], axis: number): Uint32Array {
  const blocks = shapes.map((shape) => sizeOf(shape.slice(axis)));
  const starts = blocks.map((_, i) => sizeOf(shapes[0].slice(0, axis)) * blocks.slice(0, i).reduce((a, b) => a + b, 0));
  const result = new Uint32Array(shapes.reduce((sum, shape) => sum + sizeOf(shape), 0));
  let at = 0;
  for (let outer = 0; outer < sizeOf(shapes[0].slice(0, axis)); outer++) {
    blocks.forEach((block, i) => {
      for (let inner = 0; inner < block; inner++) result[at++] = starts[i] + outer * block + inner;
    });
  }
  return result;
}

function joined(step: Step, views: readonly View[], shape: Shape, places: Uint32Array): View {
  const sizes = views.map((view) => sizeOf(step.layers.shapeOf(view.tensor)));
  sizes.forEach((size) => step.layers.reserve(size, step.label));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const orders = views.flatMap((view, i) =>
    Array.from({ length: sizeOf(view.shape) }, (_, at) => starts[i] + (view.order ? view.order[at] : at))
  );
  const indices = Uint32Array.from(places, (place) => orders[place]);
  const inputs = views.map((view) => step.layers.flatTensorOf({ ...view, order: undefined }, step.label));
  return { kind: "view", shape, tensor: step.add({ kind: "select", inputs, shape: layerShape(shape), indices }) };
}
