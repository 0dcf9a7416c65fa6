/** Tables of lookups: N positions over the range of a sum. */
import { CURRENT } from "../../params/mod.ts";
import { HALF_RANGE } from "./circuit.ts";

const N = CURRENT.ringDegree;
const Q = CURRENT.modulus;
/** Torus units between two positions. */
const STEP = 2 ** 32 / (2 * N);
/** The largest integer that a table gives: all of them stay in the half that is not wrapped. */
const VALUE_MAX = 2 ** 31 - 2 ** 10;

/**
 * Coefficients in [0, q) of the table of `f`: position i holds f(z) * outputScale for the sum z at (i STEP - 2^30) / sumScale.
 */
export function tableOf(f: (z: number) => number, sumScale: number, outputScale: number): BigUint64Array {
  const unit = Number(Q) / 2 ** 32;
  const table = new BigUint64Array(N);
  for (let i = 0; i < N; i++) {
    const value = f((i * STEP - HALF_RANGE) / sumScale) * outputScale;
    const clamped = Math.min(VALUE_MAX, Math.max(-VALUE_MAX, value));
    const coefficient = BigInt(Math.round(clamped * unit));
    table[i] = coefficient < 0n ? coefficient + Q : coefficient;
  }
  return table;
}

/** One table a channel, equal ones shared; `keys[c]` equal means equal tables. */
export function shareTables<Key>(
  keys: readonly Key[],
  make: (key: Key) => BigUint64Array,
): { tables: BigUint64Array; tableOf: Uint32Array } {
  const distinct = [...new Set(keys)];
  const tables = new BigUint64Array(distinct.length * N);
  distinct.forEach((key, i) => tables.set(make(key), i * N));
  const positions = new Map(distinct.map((key, i) => [key, i]));
  return { tables, tableOf: Uint32Array.from(keys, (key) => positions.get(key)!) };
}
