import { SottoError } from "../../errors.ts";
import type { TokenParameterSet } from "../../params/mod.ts";

/** What the scales of a block depend on. */
export interface TokenScaling {
  readonly set: TokenParameterSet;
  readonly tokens: number;
  readonly features: number;
  /** The largest Euclidean norm of a row of the matrix. */
  readonly rowNorm: number;
}

/**
 * The largest |scale_t x_t| at which no output can leave the centred 32-bit range. Output k of token t is the phase, mod 2^32,
 *   <W_k, u_t> + <W_k, e_t> + r_b - <r_a, s>,   u_tj = round(scale_t x_tj),
 * with e_tj noise and rounding of the upload, |e_tj| <= B = 2^noiseBoundLog + 2^(31 - bodyBits), |r_b| <= 2^(31 - answerBits) and
 * |<r_a, s>| <= N 2^(31 - maskBits) rounding of the answer. With F features Cauchy-Schwarz gives
 *   |<W_k, u_t + e_t>| <= |W_k| (|u_t| + sqrt(F) B),   |u_t| <= scale_t |x_t| + sqrt(F) / 2,
 * and so the phase stays below 2^31 - 1 in absolute value when
 *   scale_t |x_t| <= (2^31 - 2 - 2^(31 - answerBits) - N 2^(31 - maskBits)) / max_k |W_k| - sqrt(F) (B + 1/2).
 * Overflow is impossible, not improbable. One part in 2^40 is left for the rounding of doubles.
 *
 * @throws SottoError `model_refused` when no scale is left
 */
export function tokenRadius({ set, features, rowNorm }: Omit<TokenScaling, "tokens">): number {
  const half = (bits: number) => 2 ** (31 - bits);
  const { bodyBits, maskBits, answerBits } = set.wire;
  const range = 2 ** 31 - 2 - half(answerBits) - set.ringDegree * half(maskBits);
  const noise = 2 ** set.noiseBoundLog + half(bodyBits);
  const radius = (range / Math.max(rowNorm, 1) - Math.sqrt(features) * (noise + 0.5)) * (1 - 2 ** -40);
  if (rowNorm >= 0 && radius > 0) return radius;
  throw new SottoError(
    "model_refused",
    `a row norm of ${rowNorm} with ${features} features leaves no scale for ${set.name}: quantise the matrix to smaller integers`,
  );
}

/**
 * Activations (T x features) to integer messages (features x T) at the largest scale of each token. A token of zeros has an infinite scale:
 * its outputs are exactly zero. The native back end computes the same numbers.
 *
 * @throws SottoError `rows_refused` when an activation is not finite, `model_refused` as `tokenRadius`
 */
export function tokenScales(
  activations: Float32Array,
  scaling: TokenScaling,
): { scales: Float64Array; messages: Int32Array } {
  const { tokens, features } = scaling;
  const radius = tokenRadius(scaling);
  const scales = new Float64Array(tokens);
  const messages = new Int32Array(features * tokens);
  for (let t = 0; t < tokens; t++) {
    const row = activations.subarray(t * features, (t + 1) * features);
    let sum = 0;
    for (const x of row) sum += x * x;
    scales[t] = Number.isFinite(sum) ? radius / Math.sqrt(sum) : NaN;
    if (Number.isFinite(scales[t])) row.forEach((x, j) => messages[j * tokens + t] = nearest(x * scales[t]));
  }
  requireFinite(scales);
  return { scales, messages };
}

/** Throws `rows_refused` when the activations of a token were not finite, which its scale shows. */
export function requireFinite(scales: Float64Array): void {
  const token = scales.findIndex(Number.isNaN);
  if (token < 0) return;
  throw new SottoError("rows_refused", `token ${token} has an activation that is not a finite number`);
}

/** The nearest integer, ties to even, for |x| < 2^51. */
function nearest(x: number): number {
  return (x + 1.5 * 2 ** 52) - 1.5 * 2 ** 52;
}
