/** The weights of merged layers; computed in double precision and rounded once. */
import { sizeOf } from "./shapes.ts";
import type { ConvolutionLayer, DenseLayer, ScaleLayer, SelectLayer } from "./types.ts";

/** One number an element, from one a channel. */
export function expanded(numbers: Float32Array, shape: readonly number[]): Float32Array {
  const area = sizeOf(shape) / numbers.length;
  return area === 1 ? numbers : Float32Array.from({ length: sizeOf(shape) }, (_, i) => numbers[Math.floor(i / area)]);
}

/** s2 (s1 x + t1) + t2. */
export function scaleOfScale(first: ScaleLayer, second: ScaleLayer): ScaleLayer {
  return {
    ...second,
    scale: second.scale.map((factor, i) => factor * first.scale[i]),
    shift: second.shift.map((offset, i) => second.scale[i] * first.shift[i] + offset),
  };
}

/** s (W x + b) + t, one s and t a row of weights. */
export function scaledWeights<L extends DenseLayer | ConvolutionLayer>(
  layer: L,
  { scale, shift, shape }: ScaleLayer,
): L {
  const row = layer.weights.length / layer.bias.length;
  return {
    ...layer,
    shape,
    weights: layer.weights.map((weight, i) => weight * scale[Math.floor(i / row)]),
    bias: layer.bias.map((value, i) => value * scale[i] + shift[i]),
  };
}

/** W (s x + t) + b. */
export function denseOfScale(first: ScaleLayer, layer: DenseLayer): DenseLayer {
  const scale = expanded(first.scale, first.shape);
  const shift = expanded(first.shift, first.shape);
  const columns = scale.length;
  return {
    ...layer,
    weights: layer.weights.map((weight, i) => weight * scale[i % columns]),
    bias: layer.bias.map((value, row) => {
      let sum = value;
      for (let i = 0; i < columns; i++) sum += layer.weights[row * columns + i] * shift[i];
      return sum;
    }),
  };
}

/** The convolution of s x + t, one s and t a channel; t is zero where there is padding. */
export function convolutionOfScale({ scale, shift }: ScaleLayer, layer: ConvolutionLayer): ConvolutionLayer {
  const area = layer.window.kernel[0] * layer.window.kernel[1];
  const row = layer.weights.length / layer.bias.length;
  const depth = row / area;
  const outputsPerGroup = layer.bias.length / layer.groups;
  const channel = (i: number) => {
    const output = Math.floor(i / row);
    return Math.floor(output / outputsPerGroup) * depth + Math.floor((i % row) / area);
  };
  return {
    ...layer,
    weights: layer.weights.map((weight, i) => weight * scale[channel(i)]),
    bias: layer.bias.map((value, output) => {
      let sum = value;
      for (let i = output * row; i < (output + 1) * row; i++) sum += layer.weights[i] * shift[channel(i)];
      return sum;
    }),
  };
}

/** W2 (W1 x + b1) + b2. */
export function denseOfDense(first: DenseLayer, second: DenseLayer): DenseLayer {
  const middle = first.bias.length;
  const columns = first.weights.length / middle;
  const weights = new Float32Array(second.bias.length * columns);
  const bias = second.bias.map((value, row) => {
    const sums = new Float64Array(columns);
    let offset = value;
    for (let k = 0; k < middle; k++) {
      const factor = second.weights[row * middle + k];
      offset += factor * first.bias[k];
      for (let i = 0; i < columns; i++) sums[i] += factor * first.weights[k * columns + i];
    }
    weights.set(sums, row * columns);
    return offset;
  });
  return { ...second, weights, bias };
}

/** W P x + b with a permutation P. */
export function denseOfSelect({ indices }: SelectLayer, layer: DenseLayer): DenseLayer {
  const columns = indices.length;
  const weights = new Float32Array(layer.weights.length);
  for (let at = 0; at < weights.length; at++) weights[at - at % columns + indices[at % columns]] = layer.weights[at];
  return { ...layer, weights };
}
