/** Gemm, MatMul and BatchNormalization. */
import { sizeOf, transposeIndices } from "../shapes.ts";
import { scaleEach } from "../affine.ts";
import type { Step } from "../step.ts";
import type { TensorIndex } from "../types.ts";
import { type Constant, constantOf, type Value, type View } from "../value.ts";

/** y = alpha A B + beta C with A of the network, B and C constants. */
export function gemm(step: Step): Value {
  const { attributes } = step;
  const view = step.view(0);
  const rows = attributes.int("transA", 0) ? view.shape[1] : view.shape[0];
  if (view.shape.length !== 2 || rows !== 1) {
    step.refuse("multiplies more than one row; export the model for a batch of one.");
  }
  const constant = weightsOf(step, 1);
  const weights = attributes.int("transB", 0) ? constant.values : transposed(step, constant);
  const [count, depth] = attributes.int("transB", 0) ? constant.shape : [constant.shape[1], constant.shape[0]];
  const alpha = attributes.float("alpha", 1);
  const bias = step.has(2) ? biasOf(step, 2, count, attributes.float("beta", 1)) : new Float32Array(count);
  const tensor = dense(step, view, new Float32Array(weights).map((weight) => alpha * weight), count, depth, bias);
  return { kind: "view", shape: [1, count], tensor };
}

/** A B with A of the network and B a constant: one dense layer, or one for each of several places alike. */
export function matmul(step: Step): Value {
  if (step.value(0).kind === "constant" && step.value(1).kind === "constant") {
    step.refuse("multiplies two constants; let the exporter fold constants.");
  }
  if (step.value(1).kind !== "constant" && step.value(0).kind !== "constant") {
    step.refuse(
      "multiplies two tensors that both depend on the input (attention, bilinear layers); use a network without.",
    );
  }
  const view = step.view(0);
  const constant = weightsOf(step, 1);
  const [depth, count] = constant.shape;
  const weights = transposed(step, constant);
  const places = sizeOf(view.shape) / view.shape[view.shape.length - 1];
  const shape = [...view.shape.slice(0, -1), count];
  if (places === 1) {
    return { kind: "view", shape, tensor: dense(step, view, weights, count, depth, new Float32Array(count)) };
  }
  return alikeAtPlaces(step, view, weights, shape, places);
}

/** A convolution of one cell: the same matrix for every place of a tensor whose last axis has the channels. */
function alikeAtPlaces(step: Step, view: View, weights: Float32Array, shape: readonly number[], places: number): View {
  const depth = view.shape[view.shape.length - 1];
  const count = shape[shape.length - 1];
  if (weights.length !== depth * count) step.refuse(`has weights for another number of columns than ${depth}.`);
  step.reserve(view.shape);
  const channelsFirst = step.layers.rearrange(view, [1, depth, 1, places], transposeIndices([places, depth], [1, 0]));
  const tensor = step.add({
    kind: "convolution",
    inputs: [step.layers.tensorOf(channelsFirst, [depth, 1, places], step.label)],
    shape: [count, 1, places],
    window: { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
    groups: 1,
    weights,
    bias: new Float32Array(count),
  });
  const whole: View = { kind: "view", shape: [1, count, 1, places], tensor };
  return step.layers.rearrange(whole, shape, transposeIndices([count, places], [1, 0]));
}

function weightsOf(step: Step, index: number): Constant {
  const constant = step.constant(index);
  if (constant.shape.length !== 2) step.refuse(`has weights of ${constant.shape.length} axes; they need two.`);
  return constant;
}

function biasOf(step: Step, index: number, count: number, beta: number): Float32Array {
  const { values } = step.constant(index);
  if (values.length !== count && values.length !== 1) step.refuse(`has ${values.length} biases for ${count} outputs.`);
  return Float32Array.from({ length: count }, (_, i) => beta * values[values.length === 1 ? 0 : i]);
}

/** The constant, columns as rows. */
function transposed(step: Step, { values, shape: [rows, columns] }: Constant): Float32Array {
  step.reserve([rows, columns]);
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
  }
  return result;
}

/** Adds a dense layer over the view's elements; a rearrangement of a whole tensor becomes one of the columns. */
function dense(
  step: Step,
  view: View,
  weights: Float32Array,
  count: number,
  depth: number,
  bias: Float32Array,
): TensorIndex {
  const found = sizeOf(view.shape);
  if (found !== depth) step.refuse(`has weights for ${depth} inputs, and its input has ${found}.`);
  step.reserve([count, depth]);
  const inputs = [step.layers.flatTensorOf(view, step.label)];
  return step.add({ kind: "dense", inputs, shape: [count], weights, bias });
}

/** (x - mean) / sqrt(variance + epsilon) scale + shift, a number a channel (axis 1). */
export function batchNormalization(step: Step): Value {
  if (step.attributes.int("training_mode", 0) !== 0) {
    step.refuse("is in training mode; put the model into evaluation mode before exporting it.");
  }
  const view = step.view(0);
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((index) => step.constant(index).values);
  const channels = view.shape[1];
  if ([scale, shift, mean, variance].some((list) => list.length !== channels)) {
    step.refuse(`needs one scale, shift, mean and variance a channel, and its input has ${channels}.`);
  }
  const epsilon = step.attributes.float("epsilon", 1e-5);
  const factors = Array.from(scale, (value, i) => value / Math.sqrt(variance[i] + epsilon));
  const offsets = Array.from(shift, (value, i) => value - mean[i] * factors[i]);
  const shape = [1, channels, ...view.shape.slice(2).map(() => 1)];
  return scaleEach(step, view, constantOf(factors, shape, false), constantOf(offsets, shape, false));
}

/** (x - offset) scale, a number a feature or one for all (ONNX-ML). */
export function scaler(step: Step): Value {
  const view = step.view(0);
  const width = view.shape[view.shape.length - 1];
  const scale = listOf(step, "scale", width, 1);
  const offset = listOf(step, "offset", width, 0);
  const shift = scale.map((factor, i) => -offset[i] * factor);
  return scaleEach(step, view, constantOf(scale, [width], false), constantOf(shift, [width], false));
}

function listOf(step: Step, name: string, width: number, absent: number): number[] {
  const list = step.attributes.floats(name);
  if (list.length > 1 && list.length !== width) {
    step.refuse(`has ${list.length} numbers in "${name}" for ${width} features.`);
  }
  return Array.from({ length: width }, (_, i) => list.length > 1 ? list[i] : list[0] ?? absent);
}
