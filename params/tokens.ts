import { z } from "zod";
import { SottoError } from "../errors.ts";
import lock from "./security.lock.json" with { type: "json" };
import { tuniformVariance } from "./security.ts";

declare const checked: unique symbol;

/** Bits of a coefficient on the wire; low bits are rounded away. */
export interface TokenWire {
  /** Of bodies on their way to the server. */
  readonly bodyBits: number;
  /** Of the masks of answers. */
  readonly maskBits: number;
  /** Of the bodies of answers. */
  readonly answerBits: number;
}

/** A checked ring Z[X]/(X^N + 1) mod 2^32 for blocks of tokens. Immutable; only `checkTokenParameterSet` makes one. */
export interface TokenParameterSet {
  readonly [checked]: true;
  readonly name: string;
  /** N, and the tokens of a block at most: 1024 or 2048. */
  readonly ringDegree: 1024 | 2048;
  readonly modulusLog2: 32;
  readonly secret: "ternary";
  /** Noise is TUniform of bound 2^noiseBoundLog. */
  readonly noiseBoundLog: number;
  readonly wire: TokenWire;
  readonly securityBits: number;
}

const bits = z.number().int().min(8).max(32);
const literalSchema = z.object({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  kind: z.literal("tokens"),
  ring_degree: z.union([z.literal(1024), z.literal(2048)]),
  modulus_log2: z.literal(32),
  secret: z.literal("ternary"),
  noise: z.object({ distribution: z.literal("tuniform"), bound_log: z.number().int().min(0).max(14) }),
  wire: z.object({ body_bits: bits, mask_bits: bits, answer_bits: bits }),
  security_bits: z.number(),
  use: z.string(),
});

/**
 * Unchecked literal in, immutable checked set out.
 *
 * @throws SottoError `wrong_parameter_set` when a number is out of range, `insecure_parameter_set` when they are too weak
 */
export function checkTokenParameterSet(literal: unknown): TokenParameterSet {
  const parsed = literalSchema.safeParse(literal);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SottoError("wrong_parameter_set", `token parameter set: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { data } = parsed;
  const { body_bits, mask_bits, answer_bits } = data.wire;
  const set = Object.freeze({
    name: data.name,
    ringDegree: data.ring_degree,
    modulusLog2: data.modulus_log2,
    secret: data.secret,
    noiseBoundLog: data.noise.bound_log,
    wire: Object.freeze({ bodyBits: body_bits, maskBits: mask_bits, answerBits: answer_bits }),
    securityBits: data.security_bits,
  }) as TokenParameterSet;
  requireSecure(set);
  return set;
}

/**
 * Above the cap of its ring degree (a larger modulus is as hard with noise larger by as much), without an estimate of its own, or
 * with other numbers than the estimated ones: refused.
 */
function requireSecure(set: TokenParameterSet): void {
  const cap = (lock.caps.modulus_log2 as Record<string, number>)[String(set.ringDegree)];
  const sigma = Math.sqrt(tuniformVariance(set.noiseBoundLog));
  const entry = Object.entries(lock.token_sets).find(([name]) => name === set.name)?.[1];
  const same = entry !== undefined && entry.ring_degree === set.ringDegree &&
    entry.modulus_log2 === set.modulusLog2 && entry.secret === set.secret &&
    entry.noise.bound_log === set.noiseBoundLog && entry.security_bits === set.securityBits;
  const strong = sigma >= lock.caps.noise_sigma && set.modulusLog2 - Math.log2(sigma / lock.caps.noise_sigma) <= cap;
  if (same && strong && entry.security_bits >= lock.minimum_bits) return;
  throw new SottoError(
    "insecure_parameter_set",
    `parameter set ${set.name} is refused: security.lock.json has no estimate of at least ${lock.minimum_bits} bits for these numbers`,
  );
}
