/**
 * A network in integers of the 32-bit torus: what the server runs, the simulation follows, and every back end computes alike.
 * Integer = real value times scale; a looked-up sum z stands at z * scale + 2^30, so that [-range, range) fills [0, 2^31).
 */
import type { LayerSpec, LookupSetting } from "../backend.ts";

/** Distance from the middle to the ends of a table's range: a quarter of the torus. */
export const HALF_RANGE = 2 ** 30;

export interface CircuitLookup {
  readonly setting: LookupSetting;
  /** Distinct tables, N coefficients each. */
  readonly tables: BigUint64Array;
  /** The table of each channel. */
  readonly tableOf: Uint32Array;
}

export interface CircuitStep {
  readonly name: string;
  /** Number of the first output element; elements are those of the program. */
  readonly first: number;
  /** Weights and offsets in integers; indices are element numbers. */
  readonly layer: Omit<LayerSpec, "inputCount">;
  readonly lookup?: CircuitLookup;
  /** Torus units of a real unit of each channel's sums. */
  readonly sumScales: Float64Array;
  /** Torus units of a real unit of the outputs, each channel. */
  readonly outputScales: Float64Array;
  /** Variance of the noise of a sum, the largest of any channel, torus units; with the reading of the table. */
  readonly noiseVariance: number;
  /** Largest |real sum| that each channel may have: beyond it a table wraps. */
  readonly ranges: Float64Array;
}

export interface Circuit {
  readonly inputCount: number;
  readonly elementCount: number;
  /** Torus units of a real unit of each input element. */
  readonly inputScales: Float64Array;
  /** Bits of an uploaded coefficient. */
  readonly inputBits: number;
  readonly steps: readonly CircuitStep[];
  /** Elements of all outputs, one after the other. */
  readonly outputElements: Uint32Array;
  /** Torus units of a real unit of each output element. */
  readonly outputScales: Float64Array;
  /** Variance of the noise of the worst output, torus units. */
  readonly outputVariance: number;
}
