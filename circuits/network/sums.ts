/** The sums of single layers, over the element numbers of their inputs. */
import { SottoError } from "../../errors.ts";
import type {
  AveragePoolLayer,
  ConvolutionLayer,
  DenseLayer,
  NetworkLayer,
  ScaleLayer,
  Window,
} from "../../models/network/types.ts";
import { PADDING, type Sum } from "./program.ts";

/** Element numbers of a tensor, in the order of the model (channels first). */
export type View = Uint32Array;

/** The sum of a layer that is one; its outputs come patch by patch. */
export function sumOf(
  layer: NetworkLayer,
  inputs: readonly View[],
  shapes: readonly (readonly number[])[],
): Sum | undefined {
  switch (layer.kind) {
    case "dense":
      return denseSum(layer, inputs[0]);
    case "convolution":
      return convolutionSum(layer, inputs[0], shapes[0]);
    case "average_pool":
      return poolSum(layer, inputs[0], shapes[0]);
    case "add":
      return elementwise(layer.shape, inputs, layer.factors);
    case "scale":
      return scaleSum(layer, inputs[0]);
  }
}

function denseSum(layer: DenseLayer, input: View): Sum {
  const depth = input.length;
  return {
    patchCount: 1,
    groupCount: 1,
    rowsPerGroup: layer.bias.length,
    depth,
    weights: Float64Array.from(layer.weights),
    indices: input,
    bias: Float64Array.from(layer.bias),
  };
}

function convolutionSum(layer: ConvolutionLayer, input: View, inputShape: readonly number[]): Sum {
  const [channels, height, width] = image(inputShape);
  const perGroup = channels / layer.groups;
  const cells = windowCells(layer.window, [height, width], spatial(layer.shape));
  const depth = perGroup * size(layer.window.kernel);
  const indices = new Uint32Array(cells.length * layer.groups * depth);
  let at = 0;
  for (const window of cells) {
    for (let channel = 0; channel < channels; channel++) {
      for (const cell of window) indices[at++] = cell === PADDING ? PADDING : input[channel * height * width + cell];
    }
  }
  return {
    patchCount: cells.length,
    groupCount: layer.groups,
    rowsPerGroup: layer.bias.length / layer.groups,
    depth,
    weights: Float64Array.from(layer.weights),
    indices,
    bias: Float64Array.from(layer.bias),
  };
}

/** Largest number of terms of a mean whose windows have different numbers of cells. */
const MEAN_TERMS_MAX = 512;

/** Equal weights: where padding does not count, the cells of smaller windows are repeated until all windows have as many. */
function poolSum(layer: AveragePoolLayer, input: View, inputShape: readonly number[]): Sum {
  const [channels, height, width] = image(inputShape);
  const all = windowCells(layer.window, [height, width], spatial(layer.shape));
  const cells = layer.countPadding ? all : evenWindows(layer.name, all);
  const depth = cells[0].length;
  const indices = new Uint32Array(cells.length * channels * depth);
  let at = 0;
  for (const window of cells) {
    for (let channel = 0; channel < channels; channel++) {
      for (const cell of window) indices[at++] = cell === PADDING ? PADDING : input[channel * height * width + cell];
    }
  }
  return {
    patchCount: cells.length,
    groupCount: channels,
    rowsPerGroup: 1,
    depth,
    weights: new Float64Array(channels * depth).fill(1 / depth),
    indices,
    bias: new Float64Array(channels),
  };
}

/** Windows without their padding, each cell repeated so that all have the least common multiple of their lengths. */
function evenWindows(name: string, windows: readonly number[][]): number[][] {
  const inside = windows.map((window) => window.filter((cell) => cell !== PADDING));
  const length = inside.map((window) => window.length).reduce(leastCommonMultiple, 1);
  if (length <= MEAN_TERMS_MAX) {
    return inside.map((window) => window.flatMap((cell) => new Array<number>(length / window.length).fill(cell)));
  }
  throw new SottoError(
    "model_refused",
    `layer "${name}": the windows of this average pooling have too many different sizes at the border: export it with ` +
      `count_include_pad, or without padding`,
  );
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return a / x * b;
}

function scaleSum(layer: ScaleLayer, input: View): Sum {
  const sum = elementwise(layer.shape, [input], [1]);
  return { ...sum, weights: Float64Array.from(layer.scale), bias: Float64Array.from(layer.shift) };
}

/** sum_i factors[i] inputs[i], element by element: a group a channel, a patch a position. */
export function elementwise(shape: readonly number[], inputs: readonly View[], factors: readonly number[]): Sum {
  const channels = shape[0];
  const positions = size(shape) / channels;
  const depth = inputs.length;
  const indices = new Uint32Array(positions * channels * depth);
  let at = 0;
  for (let position = 0; position < positions; position++) {
    for (let channel = 0; channel < channels; channel++) {
      for (const input of inputs) indices[at++] = input[channel * positions + position];
    }
  }
  return {
    patchCount: positions,
    groupCount: channels,
    rowsPerGroup: 1,
    depth,
    weights: Float64Array.from({ length: channels * depth }, (_, i) => factors[i % depth]),
    indices,
    bias: new Float64Array(channels),
  };
}

/** factor sum + otherFactor other; `other` is channels first. */
export function joined(sum: Sum, factor: number, other: View, otherFactor: number): Sum {
  const { patchCount, groupCount, rowsPerGroup, depth } = sum;
  const width = depth + rowsPerGroup;
  const weights = new Float64Array(groupCount * rowsPerGroup * width);
  for (let channel = 0; channel < groupCount * rowsPerGroup; channel++) {
    const row = sum.weights.subarray(channel * depth, (channel + 1) * depth);
    weights.set(row.map((weight) => weight * factor), channel * width);
    weights[channel * width + depth + channel % rowsPerGroup] = otherFactor;
  }
  const indices = new Uint32Array(patchCount * groupCount * width);
  for (let at = 0; at < patchCount * groupCount; at++) {
    const [patch, group] = [Math.floor(at / groupCount), at % groupCount];
    indices.set(sum.indices.subarray(at * depth, (at + 1) * depth), at * width);
    for (let row = 0; row < rowsPerGroup; row++) {
      indices[at * width + depth + row] = other[(group * rowsPerGroup + row) * patchCount + patch];
    }
  }
  return { ...sum, depth: width, weights, indices, bias: sum.bias.map((bias) => bias * factor) };
}

/** For every position of the output the input cells of its window, PADDING outside of the image. */
export function windowCells(
  window: Window,
  input: readonly [number, number],
  output: readonly [number, number],
): number[][] {
  const { kernel, strides, dilations, pads } = window;
  const cells: number[][] = [];
  for (let top = 0; top < output[0]; top++) {
    for (let left = 0; left < output[1]; left++) {
      const list: number[] = [];
      for (let i = 0; i < kernel[0]; i++) {
        for (let j = 0; j < kernel[1]; j++) {
          const y = top * strides[0] - pads[0] + i * dilations[0];
          const x = left * strides[1] - pads[1] + j * dilations[1];
          const inside = y >= 0 && y < input[0] && x >= 0 && x < input[1];
          list.push(inside ? y * input[1] + x : PADDING);
        }
      }
      cells.push(list);
    }
  }
  return cells;
}

/** [channels, height, width]; one-dimensional signals have height 1. */
export function image(shape: readonly number[]): [number, number, number] {
  return [shape[0], ...spatial(shape)];
}

export function spatial(shape: readonly number[]): [number, number] {
  return shape.length === 3 ? [shape[1], shape[2]] : [1, shape[1] ?? 1];
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
