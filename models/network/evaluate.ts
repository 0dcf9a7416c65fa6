/** Runs a network in clear, layer by layer, in double precision: the reference for its encrypted evaluation. */
import { SottoError } from "../../errors.ts";
import { castRow } from "../rows.ts";
import type { Row } from "../types.ts";
import { applyActivation } from "./activation.ts";
import { sizeOf } from "./shapes.ts";
import type {
  AddLayer,
  ConvolutionLayer,
  DenseLayer,
  NetworkLayer,
  NetworkModel,
  ScaleLayer,
  SelectLayer,
} from "./types.ts";
import { runPool } from "./evaluate_pool.ts";

/**
 * Every tensor of the network for one input, by tensor index, flattened.
 * @param input one number a feature
 * @throws SottoError `internal` for an input of another length
 */
export function runNetwork(model: NetworkModel, input: Float64Array): Float64Array[] {
  if (input.length !== model.features.length) {
    throw new SottoError("internal", `The network has ${model.features.length} features, not ${input.length}.`);
  }
  const shapes = [model.inputShape, ...model.layers.map((layer) => layer.shape)];
  const tensors: Float64Array[] = [input];
  for (const layer of model.layers) {
    const inputs = layer.inputs.map((tensor) => tensors[tensor]);
    tensors.push(runLayer(layer, inputs, shapes[layer.inputs[0]]));
  }
  return tensors;
}

/**
 * The scores of each output for one row, before base and transform.
 * @throws SottoError `rows_refused` for a row that the model cannot take
 */
export function evaluateNetwork(model: NetworkModel, row: Row): number[][] {
  const cells = castRow(model.features, row);
  const tensors = runNetwork(model, Float64Array.from(cells, (cell) => cell.value));
  return model.outputs.map(({ tensor }) => Array.from(tensors[tensor]));
}

function runLayer(layer: NetworkLayer, inputs: readonly Float64Array[], inputShape: readonly number[]): Float64Array {
  switch (layer.kind) {
    case "dense":
      return runDense(layer, inputs[0]);
    case "convolution":
      return runConvolution(layer, inputs[0], inputShape);
    case "average_pool":
    case "max_pool":
      return runPool(layer, inputs[0], inputShape);
    case "add":
      return runAdd(layer, inputs);
    case "scale":
      return runScale(layer, inputs[0]);
    case "select":
      return runSelect(layer, inputs);
    case "activation":
      return inputs[0].map((x) => applyActivation(layer.activation, x));
  }
}

function runDense({ weights, bias }: DenseLayer, input: Float64Array): Float64Array {
  const columns = input.length;
  return Float64Array.from(bias, (start, row) => {
    let sum = start;
    for (let i = 0; i < columns; i++) sum += weights[row * columns + i] * input[i];
    return sum;
  });
}

function runConvolution(layer: ConvolutionLayer, input: Float64Array, inputShape: readonly number[]): Float64Array {
  const [outputs, height, width] = layer.shape;
  const area = height * width;
  const result = new Float64Array(outputs * area);
  const [kernelHeight, kernelWidth] = layer.window.kernel;
  const depth = inputShape[0] / layer.groups;
  let weight = 0;
  for (let output = 0; output < outputs; output++) {
    const plane = result.subarray(output * area, (output + 1) * area).fill(layer.bias[output]);
    const first = Math.floor(output / (outputs / layer.groups)) * depth;
    for (let channel = first; channel < first + depth; channel++) {
      for (let y = 0; y < kernelHeight; y++) {
        for (let x = 0; x < kernelWidth; x++) {
          addShifted(layer, plane, input, inputShape, channel, y, x, layer.weights[weight++]);
        }
      }
    }
  }
  return result;
}

/** Adds one weight of the kernel times one channel of the input, where the kernel's cell lies inside the input. */
function addShifted(
  { window, shape }: ConvolutionLayer,
  plane: Float64Array,
  input: Float64Array,
  [, inputHeight, inputWidth]: readonly number[],
  channel: number,
  y: number,
  x: number,
  weight: number,
): void {
  const [, height, width] = shape;
  const [down, right] = window.strides;
  const top = y * window.dilations[0] - window.pads[0];
  const left = x * window.dilations[1] - window.pads[1];
  const from = Math.max(0, Math.ceil(-left / right));
  const to = Math.min(width, Math.floor((inputWidth - 1 - left) / right) + 1);
  for (let row = 0; row < height; row++) {
    const line = row * down + top;
    if (line < 0 || line >= inputHeight) continue;
    const start = (channel * inputHeight + line) * inputWidth + left;
    for (let column = from; column < to; column++) {
      plane[row * width + column] += weight * input[start + column * right];
    }
  }
}

function runAdd({ factors }: AddLayer, [a, b]: readonly Float64Array[]): Float64Array {
  return a.map((value, i) => factors[0] * value + factors[1] * b[i]);
}

function runScale({ scale, shift, shape }: ScaleLayer, input: Float64Array): Float64Array {
  const area = sizeOf(shape) / scale.length;
  return input.map((x, i) => {
    const channel = Math.floor(i / area);
    return scale[channel] * x + shift[channel];
  });
}

function runSelect({ indices }: SelectLayer, inputs: readonly Float64Array[]): Float64Array {
  if (inputs.length === 1) return Float64Array.from(indices, (index) => inputs[0][index]);
  const joined = new Float64Array(inputs.reduce((sum, input) => sum + input.length, 0));
  let at = 0;
  for (const input of inputs) {
    joined.set(input, at);
    at += input.length;
  }
  return Float64Array.from(indices, (index) => joined[index]);
}
