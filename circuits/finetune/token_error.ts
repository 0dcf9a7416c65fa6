import { tuniformVariance } from "../../params/mod.ts";
import { tokenRadius, type TokenScaling } from "./token_scales.ts";

/** E[s^2] of a uniform ternary coefficient. */
const TERNARY_SQUARE = 2 / 3;

/**
 * The standard deviation of the error of an output over that of the output, for activations that are nowhere aligned with the matrix and
 * rows of the same norm: sqrt(V) / (radius |W| / sqrt(F)) with
 *   V = |W|^2 (V_noise + V_upload) + V_answer + N E[s^2] V_mask,   V of rounding to b of 32 bits: 2^(2 (32 - b)) / 12.
 * It grows with F |W_kj|: a matrix with many inputs is best multiplied in parts, each with scales of its own, and summed by the client.
 */
export function tokenErrorExpected(scaling: Omit<TokenScaling, "tokens">): number {
  const { set, features, rowNorm } = scaling;
  const rounding = (bits: number) => bits === 32 ? 0 : 4 ** (32 - bits) / 12;
  const { bodyBits, maskBits, answerBits } = set.wire;
  const upload = rowNorm ** 2 * (tuniformVariance(set.noiseBoundLog) + rounding(bodyBits));
  const answer = rounding(answerBits) + set.ringDegree * TERNARY_SQUARE * rounding(maskBits);
  return Math.sqrt(upload + answer) / (tokenRadius(scaling) * rowNorm / Math.sqrt(features));
}
