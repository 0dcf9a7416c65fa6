/**
 * Variances of a training step, in units of the integers of q unless said. Formulas: those of `../noise.ts` and `../lookup_noise.ts`, and
 * - external product, digits of base B = 2^17 at l = 3 levels, the top one of 16 bits: V = 2 (l - 1 + 1/4) N (B^2 / 12) V_row, because
 *   nothing is dropped (Chillotti et al., TFHE, J. Cryptology 33, 2020);
 * - trace of a lone lwe (Chen, Dai, Kim, Song, ACNS 2021): the key switch before the last u automorphisms is multiplied by 2^u at the
 *   coefficients that are multiples of 2^u: V_k = (4^(v + 1) - 1) / 3 V_keyswitch at k of 2-adic valuation v, (4^11 - 1) / 3 at k = 0.
 */
import { CURRENT } from "../../params/mod.ts";
import type { LookupSetting } from "../backend.ts";
import {
  lookupOutputVariance,
  lweKeyswitchVariance,
  modulusSwitchVariance,
  TORUS,
  torusRoundingVariance,
} from "../lookup_noise.ts";
import { freshVariance, keyswitchVariance, publicKeyVariance } from "../noise.ts";
import type { EncryptionKind } from "../training_backend.ts";
import { dataPosition, type Geometry, weightPosition } from "./geometry.ts";

const N = CURRENT.ringDegree;
const Q = Number(CURRENT.modulus);

/** A fresh encryption of either kind: of labels, and of each row of an rgsw. */
export function encryptionVariance(kind: EncryptionKind): number {
  const fresh = freshVariance(CURRENT);
  return kind === "seeded" ? fresh : publicKeyVariance(CURRENT) + fresh;
}

/** What one external product adds; the rows of a sum of rgsw add their variances. */
export function productVariance(kinds: readonly EncryptionKind[]): number {
  const { baseLog, levelCount } = CURRENT.gadgets.rgsw;
  const digits = 2 * (levelCount - 1 + 1 / 4) * N * (4 ** baseLog / 12);
  return kinds.reduce((sum, kind) => sum + digits * encryptionVariance(kind), 0);
}

/** One automorphism. */
export function automorphismVariance(): number {
  return keyswitchVariance(CURRENT, CURRENT.gadgets.training_pack);
}

/** Coefficient k of a lwe that became a constant. */
export function constantVariance(k: number): number {
  const valuation = k === 0 ? Math.log2(N) - 1 : Math.min(Math.log2(N) - 1, Math.log2(k & -k));
  return (4 ** (valuation + 1) - 1) / 3 * automorphismVariance();
}

/** What a lookup with results mod q adds. */
export function rotationVariance(setting: LookupSetting): number {
  return (lookupOutputVariance(setting) - torusRoundingVariance()) * (Q / TORUS) ** 2;
}

/** What a table of 2^valuesLog values is read with, torus units of 2^-32 squared: the modulus switch is that much coarser. */
export function readingVariance(valuesLog = 0): number {
  return lweKeyswitchVariance() + 4 ** valuesLog * modulusSwitchVariance();
}

/** Rounding of an lwe from q to the torus, torus units of 2^-32 squared. */
export function switchVariance(): number {
  return torusRoundingVariance();
}

/**
 * What a step adds to the weight of a column beyond the noise of its errors: the external product, the trace over log2 m and the
 * conjugation, and the errors' other coefficients, which should be zero, times the data. `squares(i, f)`: square of the integer x_if.
 */
export function gradientVariance(
  geometry: Geometry,
  column: number,
  squares: (row: number, column: number) => number,
  kinds: readonly EncryptionKind[],
): number {
  const { rows, columns, chunkColumns } = geometry;
  const wanted = (rows * chunkColumns - rows) - weightPosition(geometry, column).coefficient;
  const chunk = Math.floor(column / chunkColumns);
  let leaked = 0;
  for (let f = chunk * chunkColumns; f < Math.min(columns, (chunk + 1) * chunkColumns); f++) {
    for (let i = 0; i < rows; i++) {
      const { coefficient } = dataPosition(geometry, i, f);
      const square = squares(i, f);
      for (let j = 0; j < rows && square > 0; j++) {
        const k = (wanted - coefficient + j + N) % N;
        if (k !== 0) leaked += square * constantVariance(k);
      }
    }
  }
  const trace = (4 ** Math.log2(rows) - 1) / 3 * automorphismVariance();
  return productVariance(kinds) + trace + automorphismVariance() + leaked;
}

/** What the errors' noise adds to the weight of a column. */
export function errorVariance(
  geometry: Geometry,
  column: number,
  squares: (row: number, column: number) => number,
  variance: number,
): number {
  let sum = 0;
  for (let i = 0; i < geometry.rows; i++) sum += squares(i, column) * variance;
  return sum;
}
