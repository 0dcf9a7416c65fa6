/** Inverted dropout whose mask is a function of a seed: never stored, the same again in the backward pass. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import { mix } from "./seeded.ts";

/** A mask: element i is zero with this rate, otherwise 1 / (1 - rate). */
export interface DropoutMask {
  /** In [0, 1). 0: nothing is dropped. */
  readonly rate: number;
  readonly seed: number;
}

/** x times the mask, element by element; `out` may be x. */
export function applyDropout(x: Floats, { rate, seed }: DropoutMask, out: Floats): Floats {
  const [threshold, factor] = [rate * 2 ** 32, 1 / (1 - rate)];
  for (let i = 0; i < x.length; i++) out[i] = mix(seed, i) < threshold ? 0 : x[i] * factor;
  return out;
}
