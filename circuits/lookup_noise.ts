/**
 * Variances of the lookup's stages. Torus noise is in units of 2^-32, so that it adds to integers of the 32-bit torus.
 * Formulas: Chillotti, Gama, Georgieva, Izabachene, TFHE, J. Cryptology 33, 2020; block-binary keys: Lee, Min, Seo, Song, AsiaCCS 2023.
 */
import {
  COEFFICIENT_BITS,
  CURRENT,
  CURRENT_LWE,
  type LweParameterSet,
  type ParameterSet,
  tuniformVariance,
} from "../params/mod.ts";
import type { LookupSetting } from "./backend.ts";
import { lookupGadget } from "./layout.ts";
import { freshVariance, inputRoundingVariance, SECRET_SECOND_MOMENT } from "./noise.ts";

/** The 32-bit torus. */
export const TORUS = 2 ** 32;

/** From variances in units of 1 / q to units of 2^-32. */
function toTorus(variance: number, parameters: ParameterSet): number {
  return variance * (TORUS / Number(parameters.modulus)) ** 2;
}

/** Rounding a mask and a body from q to 2^32: V = (1 + N E[s^2]) / 12. */
export function torusRoundingVariance(parameters: ParameterSet = CURRENT): number {
  return (1 + parameters.ringDegree * SECRET_SECOND_MOMENT) / 12;
}

/** An input coefficient after encryption at `bits` bits and its switch to the torus. */
export function torusInputVariance(bits: number, parameters: ParameterSet = CURRENT): number {
  return toTorus(freshVariance(parameters) + inputRoundingVariance(bits), parameters) +
    torusRoundingVariance(parameters);
}

/**
 * Key switch of an lwe from N to n, digits in [-B/2, B/2): V = N l E[d^2] V_key + (2^(2t) / 12) N E[s^2], t = 32 - base_log l dropped
 * bits, E[d^2] = (B^2 + 2) / 12 with the digits' mean: raw squares, not centred ones.
 */
export function lweKeyswitchVariance(
  parameters: ParameterSet = CURRENT,
  small: LweParameterSet = CURRENT_LWE,
): number {
  const { baseLog, levelCount } = small.keyswitch;
  const digits = parameters.ringDegree * levelCount * (4 ** baseLog + 2) / 12 * tuniformVariance(small.noiseBoundLog);
  const dropped = small.modulusLog2 - baseLog * levelCount;
  return digits + (4 ** dropped / 12) * parameters.ringDegree * SECRET_SECOND_MOMENT;
}

/**
 * The part of it that is one number for all key switches of a key: digits of an even base have the mean -1/2, so the errors of a key
 * have a mean of variance N l E[d]^2 V_key over keys.
 */
export function lweKeyswitchMeanVariance(
  parameters: ParameterSet = CURRENT,
  small: LweParameterSet = CURRENT_LWE,
): number {
  return parameters.ringDegree * small.keyswitch.levelCount / 4 * tuniformVariance(small.noiseBoundLog);
}

/**
 * Rounding the n mask words and the body to 2N positions, the mean of what that does to the phase taken off the body:
 * V = (1 + h (1 - p)^2 + (n - h) p^2) / 12 (2^32 / 2N)^2 with h ones in the small secret, on average p n, p = 1 / (block + 1).
 */
export function modulusSwitchVariance(
  ones: number = CURRENT_LWE.dimension / (CURRENT_LWE.block + 1),
  parameters: ParameterSet = CURRENT,
): number {
  const { dimension, block } = CURRENT_LWE;
  const mean = 1 / (block + 1);
  const moved = ones * (1 - mean) ** 2 + (dimension - ones) * mean ** 2;
  return (1 + moved) / 12 * (TORUS / (2 * parameters.ringDegree)) ** 2;
}

/** What a table is read with: key switch and modulus switch. */
export function lookupInputVariance(ones?: number): number {
  return lweKeyswitchVariance() + modulusSwitchVariance(ones);
}

/**
 * Ones of a small secret that one key in 2^64 exceeds: the mean n / (b + 1) and x deviations, each of n / b blocks holding a one with
 * probability b / (b + 1). Exact answers are planned for such a key.
 */
export function worstOnes(small: LweParameterSet = CURRENT_LWE): number {
  const blocks = small.dimension / small.block;
  const share = small.block / (small.block + 1);
  return Math.min(blocks, blocks * share + 9.2 * Math.sqrt(blocks * share * (1 - share)));
}

/**
 * Blind rotation by blocks of `block` bits: V = n 2 (2 l N (B^2 / 12)) V_key + (n / block)(block / (block + 1)) 2 (2^(2t) / 12)
 * (1 + N E[s^2]), then the switch to the torus.
 */
export function lookupOutputVariance(
  setting: LookupSetting,
  parameters: ParameterSet = CURRENT,
  small: LweParameterSet = CURRENT_LWE,
): number {
  const { baseLog, levelCount } = lookupGadget(setting, parameters);
  const { dimension, block } = small;
  const dropped = COEFFICIENT_BITS - baseLog * levelCount;
  const digits = dimension * 2 * (2 * levelCount * parameters.ringDegree * (4 ** baseLog / 12)) *
    freshVariance(parameters);
  const rounding = (dimension / (block + 1)) * 2 * (4 ** dropped / 12) *
    (1 + parameters.ringDegree * SECRET_SECOND_MOMENT);
  return toTorus(digits + rounding, parameters) + torusRoundingVariance(parameters);
}
