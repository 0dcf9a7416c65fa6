import { z } from "zod";
import { SottoError } from "../errors.ts";
import type { Gadget } from "./checked.ts";
import lock from "./security.lock.json" with { type: "json" };
import { tuniformVariance } from "./security.ts";

declare const checked: unique symbol;

/** A checked set of scalar ciphertexts with a block-binary secret. Immutable; only `checkLweParameterSet` makes one. */
export interface LweParameterSet {
  readonly [checked]: true;
  readonly name: string;
  /** n */
  readonly dimension: number;
  /** The secret consists of blocks of this length with at most one 1 each, all states equally likely. */
  readonly block: number;
  readonly modulusLog2: number;
  readonly noiseBoundLog: number;
  /** Digits of the key switch into this set, on the 32-bit torus. */
  readonly keyswitch: Gadget;
  readonly securityBits: number;
}

const literalSchema = z.object({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  kind: z.literal("lwe"),
  dimension: z.number().int().min(1).max(4096),
  block: z.number().int().min(1).max(8),
  modulus_log2: z.literal(32),
  noise: z.object({ distribution: z.literal("tuniform"), bound_log: z.number().int().min(0).max(30) }),
  keyswitch: z.object({ base_log: z.number().int().min(1).max(7), level_count: z.number().int().min(1) }),
  security_bits: z.number(),
  use: z.string(),
});

/** The least log2(sigma / q) for 132 bits with a uniform binary secret of dimension n: fit of the estimator's results. */
export function smallestNoiseLog2(dimension: number): number {
  return -0.024891456582633045 * dimension + 2.65734593837534;
}

/**
 * Unchecked literal in, immutable checked set out.
 *
 * @throws SottoError `wrong_parameter_set` when the numbers do not fit each other, `insecure_parameter_set` when they are too weak
 */
export function checkLweParameterSet(literal: unknown): LweParameterSet {
  const parsed = literalSchema.safeParse(literal);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SottoError("wrong_parameter_set", `lwe parameter set: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { data } = parsed;
  const { base_log, level_count } = data.keyswitch;
  if (data.dimension % data.block || base_log * level_count > data.modulus_log2) {
    throw new SottoError("wrong_parameter_set", `parameter set ${data.name}: its blocks or its key switch do not fit`);
  }
  const set = Object.freeze({
    name: data.name,
    dimension: data.dimension,
    block: data.block,
    modulusLog2: data.modulus_log2,
    noiseBoundLog: data.noise.bound_log,
    keyswitch: Object.freeze({ baseLog: base_log, levelCount: level_count }),
    securityBits: data.security_bits,
  }) as LweParameterSet;
  requireSecure(set);
  return set;
}

function requireSecure(set: LweParameterSet): void {
  const entry = Object.entries(lock.lwe_sets).find(([name]) => name === set.name)?.[1];
  const same = entry !== undefined && entry.dimension === set.dimension && entry.block === set.block &&
    entry.modulus_log2 === set.modulusLog2 && entry.noise.bound_log === set.noiseBoundLog &&
    entry.security_bits === set.securityBits;
  // A block-binary secret has less entropy than a uniform one: the fit is necessary, the locked estimate decides.
  const noiseLog2 = Math.log2(tuniformVariance(set.noiseBoundLog)) / 2 - set.modulusLog2;
  if (same && entry.security_bits >= lock.minimum_bits && noiseLog2 >= smallestNoiseLog2(set.dimension)) return;
  throw new SottoError(
    "insecure_parameter_set",
    `parameter set ${set.name} is refused: security.lock.json has no estimate of at least ${lock.minimum_bits} bits for these numbers`,
  );
}
