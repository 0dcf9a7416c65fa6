/** A program in clear: real numbers, the reference of its quantised forms. */
import { applyActivation } from "../../models/network/activation.ts";
import { channelCount, outputCount, PADDING, type Program, type Step, type Sum } from "./program.ts";

/** All elements of one data row; `sums` also sees the sums of every step before their activation. */
export function runClear(
  program: Program,
  row: ArrayLike<number>,
  onSums?: (step: Step, sums: Float64Array) => void,
): Float64Array {
  const elements = new Float64Array(program.elementCount);
  elements.set(row as ArrayLike<number> & Iterable<number>);
  for (const step of program.steps) {
    const sums = applySum(step.sum, elements);
    onSums?.(step, sums);
    const { activation } = step;
    elements.set(activation ? sums.map((value) => applyActivation(activation, value)) : sums, step.first);
  }
  return elements;
}

/** The sums of a step, patch by patch and in a patch channel by channel. */
export function applySum(
  sum: Omit<Sum, "weights" | "bias"> & { readonly weights: ArrayLike<number>; readonly bias: ArrayLike<number> },
  elements: Float64Array,
): Float64Array {
  const { patchCount, groupCount, rowsPerGroup, depth, weights, indices, bias } = sum;
  const out = new Float64Array(outputCount(sum));
  const inputs = new Float64Array(depth);
  const channels = channelCount(sum);
  for (let patch = 0; patch < patchCount; patch++) {
    for (let group = 0; group < groupCount; group++) {
      const from = (patch * groupCount + group) * depth;
      for (let d = 0; d < depth; d++) {
        const index = indices[from + d];
        inputs[d] = index === PADDING ? 0 : elements[index];
      }
      for (let row = 0; row < rowsPerGroup; row++) {
        const channel = group * rowsPerGroup + row;
        let value = bias[channel];
        for (let d = 0, at = channel * depth; d < depth; d++) value += weights[at + d] * inputs[d];
        out[patch * channels + channel] = value;
      }
    }
  }
  return out;
}
