/** Tables of training: real functions of a phase, interleaved where one rotation gives several values. */
import { CURRENT } from "../../params/mod.ts";

const N = CURRENT.ringDegree;
const Q = CURRENT.modulus;
/** Added to a phase so that tables cover [-1/4, 1/4) of the torus. */
export const HALF_RANGE = 2 ** 30;

/** 1 / (1 + e^-z). */
export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** Values, in units of q, at the centred phase p of the torus, -1/4 <= p < 1/4. */
export type TableFunction = (phase: number) => number;

/** One polynomial that holds the tables of 1, 2, 4 or 8 functions. */
export function interleavedTable(functions: readonly TableFunction[]): BigUint64Array {
  const table = new BigUint64Array(N);
  for (let f = 0; f < N; f += functions.length) {
    functions.forEach((value, i) => table[f + i] = residue(value(f / (2 * N) - 0.25)));
  }
  return table;
}

/** The integer next to x, mod q. */
export function residue(x: number): bigint {
  const rest = BigInt(Math.round(x)) % Q;
  return rest < 0n ? rest + Q : rest;
}
