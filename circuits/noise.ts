/**
 * Variances of noise, in units of the modulus's integers (squared). Every function names its equation; B = 2^base_log, l levels,
 * t = 50 - base_log l dropped bits. Noise and secrets are independent and centred: variances add.
 */
import { erfc, scaledErfc } from "../models/erf.ts";
import { COEFFICIENT_BITS, type Gadget, type ParameterSet, tuniformVariance } from "../params/mod.ts";

/** E[s_i^2] of a uniform ternary secret. */
export const SECRET_SECOND_MOMENT = 2 / 3;

/** Noise of a fresh ciphertext: V = (2^(2b+1) + 1) / 6, TUniform of bound 2^b. */
export function freshVariance(parameters: ParameterSet): number {
  return tuniformVariance(parameters.noiseBoundLog);
}

/** Dropping the low bits of b on the way up: uniform over 2^(50 - bits), V = 2^(2 (50 - bits)) / 12. The mask a is exact. */
export function inputRoundingVariance(bits: number): number {
  return bits >= COEFFICIENT_BITS ? 0 : 4 ** (COEFFICIENT_BITS - bits) / 12;
}

/** sum_i w_i e_i with integer weights: V = ||w||^2 V_in. */
export function linearVariance(inputVariance: number, weightsSquared: number): number {
  return inputVariance * weightsSquared;
}

/**
 * A keyswitch or automorphism: V = l N (B^2 / 12) V_key + (2^(2t) / 12) N E[s^2]: digits uniform in [-B/2, B/2) times key noise,
 * and the dropped bits times the secret (Chillotti et al., TFHE, J. Cryptology 33, 2020, section 4).
 */
export function keyswitchVariance(parameters: ParameterSet, gadget: Gadget): number {
  const { ringDegree } = parameters;
  const dropped = COEFFICIENT_BITS - gadget.baseLog * gadget.levelCount;
  const digits = gadget.levelCount * ringDegree * (4 ** gadget.baseLog / 12) * freshVariance(parameters);
  return digits + (4 ** dropped / 12) * ringDegree * SECRET_SECOND_MOMENT;
}

/**
 * Packing over m merge levels without trace: the keyswitch of level i is doubled m - i times by the merges above it, so
 * V = sum_i 4^i V_keyswitch <= (4^m / 3) V_keyswitch. Messages are multiplied by 2^-m before and come out unscaled
 * (Chen, Dai, Kim, Song, ACNS 2021, algorithm 2).
 */
export function packVariance(parameters: ParameterSet, gadget: Gadget, levels: number): number {
  return levels === 0 ? 0 : (4 ** levels / 3) * keyswitchVariance(parameters, gadget);
}

/**
 * Switching an answer to the modulus 2^bits: a and b are both rounded to multiples of q / 2^bits, so the phase moves by
 * V = (1 + N E[s^2]) / 12 (q / 2^bits)^2.
 */
export function answerRoundingVariance(parameters: ParameterSet, bits: number): number {
  const unit = Number(parameters.modulus) / 2 ** bits;
  return (1 + parameters.ringDegree * SECRET_SECOND_MOMENT) / 12 * unit * unit;
}

/** Adding a public-key encryption of zero (a0 u + e1, b0 u): its phase is e u - e1 s, V = 2 N E[s^2] V_key. */
export function publicKeyVariance(parameters: ParameterSet): number {
  return 2 * parameters.ringDegree * SECRET_SECOND_MOMENT * freshVariance(parameters);
}

/**
 * Answers of trees carry noise uniform in [-2^FLOOD_LOG, 2^FLOOD_LOG), which drowns the noise that depends on the model
 * (`kFloodLog` of `kernels/src/crypto/leaf_matrix.hpp`).
 */
export const FLOOD_LOG = 30;

/**
 * log2 of an upper bound on the probability that any of `outputs` centred Gaussians of deviation `sigma` leaves
 * (-halfSlot, halfSlot): log2(outputs erfc(x)), x = halfSlot / (sigma sqrt 2), at most 0. Finite also where the probability
 * itself is far below the smallest double.
 */
export function failureLog2(sigma: number, halfSlot: number, outputs: number): number {
  if (outputs === 0) return -Number.MAX_VALUE;
  if (halfSlot <= 0) return 0;
  const x = halfSlot / (sigma * Math.SQRT2);
  return Math.max(-Number.MAX_VALUE, Math.min(0, Math.log2(outputs) + log2Erfc(x)));
}

/** log2 of erfc(x), x >= 0; relative precision of erfc about 1e-12. */
export function log2Erfc(x: number): number {
  return x < 2 ? Math.log2(erfc(x)) : -x * x * Math.LOG2E + Math.log2(scaledErfc(x));
}
