/** Average and max pools in clear. */
import type { AveragePoolLayer, MaxPoolLayer, Window } from "./types.ts";

/** The pool over [channels, height, width], flattened. */
export function runPool(
  layer: AveragePoolLayer | MaxPoolLayer,
  input: Float64Array,
  [channels, inputHeight, inputWidth]: readonly number[],
): Float64Array {
  const [, height, width] = layer.shape;
  const result = new Float64Array(channels * height * width);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    const plane = input.subarray(channel * inputHeight * inputWidth, (channel + 1) * inputHeight * inputWidth);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const cells = cellsOf(layer.window, row, column, inputHeight, inputWidth).map((cell) => plane[cell]);
        result[at++] = layer.kind === "max_pool" ? largest(cells) : mean(layer, cells);
      }
    }
  }
  return result;
}

/** The cells of the input under a window, padding left out. */
function cellsOf(
  { kernel, strides, dilations, pads }: Window,
  row: number,
  column: number,
  height: number,
  width: number,
): number[] {
  const lines = places(kernel[0], strides[0] * row - pads[0], dilations[0], height);
  const columns = places(kernel[1], strides[1] * column - pads[1], dilations[1], width);
  return lines.flatMap((line) => columns.map((place) => line * width + place));
}

function places(count: number, start: number, apart: number, size: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i * apart).filter((place) => place >= 0 && place < size);
}

function largest(cells: readonly number[]): number {
  return cells.reduce((best, cell) => Math.max(best, cell), -Infinity);
}

function mean({ countPadding, window }: AveragePoolLayer, cells: readonly number[]): number {
  const count = countPadding ? window.kernel[0] * window.kernel[1] : cells.length;
  return cells.reduce((sum, cell) => sum + cell, 0) / count;
}
