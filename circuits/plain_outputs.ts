/** What the clear matrices make of clear inputs: the outputs that the real back end computes under encryption. */
import type { LeafMatrixSpec, WeightMatrixSpec } from "./backend.ts";
import { paddedColumns } from "./layout.ts";
import type { UniformSource } from "./random.ts";

/** The cost of a leaf for the clear bits of one row: 0 exactly at the leaf that its tree reaches. */
export function leafCost(spec: LeafMatrixSpec, leaf: number, bits: ArrayLike<number>): number {
  let cost = spec.constants[leaf];
  for (let i = spec.rowOffsets[leaf]; i < spec.rowOffsets[leaf + 1]; i++) {
    cost += spec.weights[i] * bits[spec.columns[i]];
  }
  return cost;
}

/**
 * The outputs of one row as `LeafMatrixSpec` says, in [0, p): leaves of each tree shuffled, then leaf by leaf r cost and
 * r cost + label with fresh r.
 */
export function leafOutputs(spec: LeafMatrixSpec, bits: ArrayLike<number>, random: UniformSource): Float64Array {
  const p = spec.plaintextModulus;
  const out = new Float64Array(spec.constants.length * (1 + spec.labelCount));
  let at = 0;
  for (let tree = 0; tree + 1 < spec.treeOffsets.length; tree++) {
    const first = spec.treeOffsets[tree];
    for (const shuffled of random.permutation(spec.treeOffsets[tree + 1] - first)) {
      const leaf = first + shuffled;
      const cost = leafCost(spec, leaf, bits);
      out[at++] = modulo((1 + random.below(p - 1)) * cost, p);
      for (let i = 0; i < spec.labelCount; i++) {
        out[at++] = modulo(random.below(p) * cost + spec.labels[leaf * spec.labelCount + i], p);
      }
    }
  }
  return out;
}

/** The scores of every row of one ciphertext: score after score, floor(N / D') rows each. */
export function linearOutputs(spec: WeightMatrixSpec, values: ArrayLike<number>, ringDegree: number): Float64Array {
  const padded = paddedColumns(spec.columnCount, ringDegree);
  const rows = ringDegree / padded;
  return Float64Array.from({ length: spec.rowCount * rows }, (_, i) => {
    const at = (i % rows) * padded, weights = Math.floor(i / rows) * spec.columnCount;
    let sum = 0;
    for (let f = 0; f < spec.columnCount; f++) sum += spec.weights[weights + f] * values[at + f];
    return sum;
  });
}

function modulo(x: number, modulus: number): number {
  const rest = x % modulus;
  return rest < 0 ? rest + modulus : rest;
}
