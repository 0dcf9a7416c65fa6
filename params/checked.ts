import { z } from "zod";
import { SottoError } from "../errors.ts";
import { isPrime, powerMod } from "./modular.ts";
import { requireSecure } from "./security.ts";

/**
 * Signed digits, base 2^baseLog, the top levelCount of them: x = sum_j d_j 2^(t + baseLog j), t = 50 - baseLog levelCount.
 * In `rgsw` they count from bit 0 (t = 0) and the top one is short, so that nothing is rounded away.
 */
export interface Gadget {
  readonly baseLog: number;
  readonly levelCount: number;
}

/**
 * What a gadget is for: tree circuits pack with it; lookups of small weights, of wide layers, of training rotate with it;
 * training packs with it; its data are encrypted as rgsw with it.
 */
export type GadgetUse = "trees" | "lookup" | "lookup_wide" | "lookup_training" | "training_pack" | "rgsw";

declare const checked: unique symbol;

/** A checked ring parameter set. Immutable; only `checkParameterSet` makes one. */
export interface ParameterSet {
  readonly [checked]: true;
  readonly name: string;
  /** N, a power of two. */
  readonly ringDegree: number;
  readonly logDegree: number;
  /** q, a prime = 1 mod 2N below 2^50. */
  readonly modulus: bigint;
  /** psi, a primitive 2N-th root of unity mod q. */
  readonly rootOfUnity: bigint;
  readonly secret: "ternary";
  /** Noise is TUniform of bound 2^noiseBoundLog. */
  readonly noiseBoundLog: number;
  readonly gadgets: Readonly<Record<GadgetUse, Gadget>>;
  readonly securityBits: number;
}

/** Bits of a full coefficient: every modulus is below 2^50, for the 52-bit multipliers and the 53-bit doubles. */
export const COEFFICIENT_BITS = 50;

const integer = z.string().regex(/^[0-9]{1,19}$/).transform(BigInt);
const gadget = z.object({ base_log: z.number().int().min(1), level_count: z.number().int().min(1) });
const literalSchema = z.object({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  kind: z.literal("ring"),
  ring_degree: z.number().int(),
  modulus: integer,
  root_of_unity: integer,
  secret: z.literal("ternary"),
  noise: z.object({ distribution: z.literal("tuniform"), bound_log: z.number().int().min(0).max(30) }),
  gadgets: z.object({
    trees: gadget,
    lookup: gadget,
    lookup_wide: gadget,
    lookup_training: gadget,
    training_pack: gadget,
    rgsw: gadget,
  }),
  security_bits: z.number(),
  use: z.string(),
});

type Literal = z.infer<typeof literalSchema>;

/**
 * Unchecked literal in, immutable checked set out.
 *
 * @throws SottoError `wrong_parameter_set` when the numbers do not make a ring, `insecure_parameter_set` when they are too weak
 */
export function checkParameterSet(literal: unknown): ParameterSet {
  const parsed = literalSchema.safeParse(literal);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SottoError("wrong_parameter_set", `parameter set: ${issue.path.join(".")}: ${issue.message}`);
  }
  checkRing(parsed.data);
  checkGadgets(parsed.data);
  const set = freezeSet(parsed.data);
  requireSecure(set);
  return set;
}

function checkRing(set: Literal): void {
  const { ring_degree: degree, modulus: q, root_of_unity: psi } = set;
  require(set, degree >= 2 && Number.isInteger(Math.log2(degree)), `ring degree ${degree} is not a power of two`);
  require(set, q < 1n << BigInt(COEFFICIENT_BITS), `modulus ${q} is not below 2^${COEFFICIENT_BITS}`);
  require(set, isPrime(q), `modulus ${q} is not prime`);
  require(set, q % BigInt(2 * degree) === 1n, `modulus ${q} is not 1 mod ${2 * degree}`);
  require(
    set,
    psi < q && powerMod(psi, BigInt(degree), q) === q - 1n,
    `${psi} is not a primitive root of unity of order ${2 * degree}`,
  );
}

function checkGadgets(set: Literal): void {
  const { rgsw, ...rounded } = set.gadgets;
  for (const { base_log, level_count } of Object.values(rounded)) {
    require(set, base_log * level_count <= COEFFICIENT_BITS, `gadget ${base_log}, ${level_count} has more bits than q`);
  }
  const { base_log, level_count } = rgsw;
  const exact = base_log * level_count >= COEFFICIENT_BITS && base_log * (level_count - 1) < COEFFICIENT_BITS;
  require(set, exact, `gadget ${base_log}, ${level_count} of rgsw does not cover q with every digit in use`);
}

function require(set: Literal, condition: boolean, reason: string): void {
  if (!condition) throw new SottoError("wrong_parameter_set", `parameter set ${set.name}: ${reason}`);
}

function freezeSet(set: Literal): ParameterSet {
  const gadgets = Object.fromEntries(
    Object.entries(set.gadgets).map(([use, { base_log, level_count }]) => [
      use,
      Object.freeze({ baseLog: base_log, levelCount: level_count }),
    ]),
  );
  return Object.freeze({
    name: set.name,
    ringDegree: set.ring_degree,
    logDegree: Math.log2(set.ring_degree),
    modulus: set.modulus,
    rootOfUnity: set.root_of_unity,
    secret: set.secret,
    noiseBoundLog: set.noise.bound_log,
    gadgets: Object.freeze(gadgets),
    securityBits: set.security_bits,
  }) as ParameterSet;
}
