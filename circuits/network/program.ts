/**
 * A network as sums and tables, the form that every later step works on: real weights, no geometry, no layouts.
 *
 * Elements are numbered through: the input's 0 .. inputCount - 1, then the outputs of each step. A step computes sums of earlier
 * elements and, if it has an activation, looks every sum up in a table.
 */
import type { ActivationFunction, NetworkOutput } from "../../models/network/types.ts";

/** An index that stands for zero. */
export { PADDING } from "../backend.ts";

/**
 * Output (patch p, group g, row r) = bias_{g,r} + sum_d W_{g,r,d} x[index_{p,g,d}]; outputs are numbered patch by patch, and in a
 * patch by channel g rowsPerGroup + r.
 */
export interface Sum {
  readonly patchCount: number;
  readonly groupCount: number;
  readonly rowsPerGroup: number;
  readonly depth: number;
  /** group, row, depth. */
  readonly weights: Float64Array;
  /** patch, group, depth: element numbers or PADDING. */
  readonly indices: Uint32Array;
  /** group, row. */
  readonly bias: Float64Array;
}

export interface Step {
  /** The layer of the model that it computes, for messages and reports. */
  readonly name: string;
  /** Number of its first output element. */
  readonly first: number;
  readonly sum: Sum;
  /** Without one the sums themselves are the outputs. */
  readonly activation?: ActivationFunction;
  /** Elements that must have one scale, so that their sums and differences need no rounded weights. */
  readonly tied: readonly number[];
}

export interface ProgramOutput extends Pick<NetworkOutput, "name" | "output"> {
  /** One element a score. */
  readonly elements: Uint32Array;
}

export interface Program {
  readonly inputCount: number;
  readonly elementCount: number;
  readonly steps: readonly Step[];
  readonly outputs: readonly ProgramOutput[];
}

/** Channels of a step: the output (p, c) is element first + p channels + c. */
export function channelCount(sum: Pick<Sum, "groupCount" | "rowsPerGroup">): number {
  return sum.groupCount * sum.rowsPerGroup;
}

/** Output elements of a step. */
export function outputCount(sum: Pick<Sum, "patchCount" | "groupCount" | "rowsPerGroup">): number {
  return sum.patchCount * channelCount(sum);
}

/** Multiply-adds of one data row. */
export function multiplyAdds(sum: Sum): number {
  return outputCount(sum) * sum.depth;
}
