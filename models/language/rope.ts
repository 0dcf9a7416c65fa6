/** Rotary position embedding: the angle a position turns a pair of elements by. */
import { refuseModel } from "../refuse.ts";

/** How the frequencies of a model differ from theta^(-2 i / head size). */
export type RopeScaling =
  | { readonly kind: "none" }
  /** All divided by `factor`. */
  | { readonly kind: "linear"; readonly factor: number }
  /** Llama 3.1: long waves divided by `factor`, short ones kept, those between interpolated. */
  | {
    readonly kind: "llama3";
    readonly factor: number;
    readonly lowFactor: number;
    readonly highFactor: number;
    readonly originalPositions: number;
  }
  /** Each divided by its own number: half a head's size of them. */
  | { readonly kind: "divisors"; readonly divisors: readonly number[] };

export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** The divisor of a frequency after Llama 3.1 (its reference code, `apply_scaling`). */
function llama3Divisor(frequency: number, scaling: Extract<RopeScaling, { kind: "llama3" }>): number {
  const { factor, lowFactor, highFactor, originalPositions } = scaling;
  const turns = originalPositions * frequency / (2 * Math.PI);
  if (turns < lowFactor) return factor;
  if (turns > highFactor) return 1;
  const smooth = (turns - lowFactor) / (highFactor - lowFactor);
  return 1 / ((1 - smooth) / factor + smooth);
}

/**
 * The frequencies of a model: at position p, element i of the first half of a head and element i of its second half turn
 * by the angle p * frequencies[i].
 * @returns `headSize / 2` numbers
 */
export function ropeFrequencies({ theta, scaling }: Rope, headSize: number): Float64Array {
  const frequencies = Float64Array.from({ length: headSize / 2 }, (_, index) => theta ** (-2 * index / headSize));
  switch (scaling.kind) {
    case "none":
      return frequencies;
    case "linear":
      return frequencies.map((frequency) => frequency / scaling.factor);
    case "llama3":
      return frequencies.map((frequency) => frequency / llama3Divisor(frequency, scaling));
    case "divisors":
      if (scaling.divisors.length !== frequencies.length) {
        refuseModel(`The model has ${scaling.divisors.length} rope divisors and needs ${frequencies.length}.`);
      }
      return frequencies.map((frequency, index) => frequency / scaling.divisors[index]);
  }
}
