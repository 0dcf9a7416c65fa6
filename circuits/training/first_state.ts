/** Weights as integers of ciphertexts, and as ciphertexts that hide nothing: what a run starts from. */
import { CURRENT } from "../../params/mod.ts";
import { LWE_WORDS } from "../backend.ts";
import { CIPHERTEXT_WORDS } from "../training_backend.ts";
import { firstWeights, type Weights } from "./first_weights.ts";
import { type Geometry, geometryOf, weightPosition } from "./geometry.ts";
import { mlpScales, OPERAND_UNIT } from "./mlp_scales.ts";
import { weightScales } from "./scales.ts";
import type { TrainingSpec } from "./spec.ts";
import type { TrainingState } from "./state.ts";
import { residue } from "./tables.ts";

const N = CURRENT.ringDegree;
/** The 32-bit torus. */
const TORUS = 2 ** 32;

/** Integers that ciphertexts of step `step` hold: first layer mod q, second layer on the 32-bit torus, in the order of `Weights`. */
export function weightIntegers(spec: TrainingSpec, weights: Weights, step: number) {
  const { weightUnit, decays } = weightScales(spec);
  const first = weights.first.map((row) => BigUint64Array.from(row, (w) => residue(w / decays[step] * weightUnit)));
  if (spec.kind !== "mlp") return { first, second: [] };
  const { outputUnit } = mlpScales(spec);
  const second = weights.second.map((row) =>
    row.map((w, h) => Math.round(w / decays[step] * TORUS * (h === spec.hidden.width ? outputUnit : OPERAND_UNIT)))
  );
  return { first, second };
}

/** The state before the first step: public, encrypted without noise. */
export function firstState(spec: TrainingSpec): TrainingState {
  const { first, second } = weightIntegers(spec, firstWeights(spec), 0);
  const geometry = geometryOf(spec);
  return { step: 0, weights: clearChunks(geometry, first), outputs: clearOutputs(second) };
}

function clearChunks(geometry: Geometry, first: readonly BigUint64Array[]): BigUint64Array[] {
  const chunks = Array.from(
    { length: geometry.chunkCount },
    () => new BigUint64Array(first.length * CIPHERTEXT_WORDS),
  );
  first.forEach((row, unit) =>
    row.forEach((integer, column) => {
      const { chunk, coefficient } = weightPosition(geometry, column);
      chunks[chunk][unit * CIPHERTEXT_WORDS + N + coefficient] = integer;
    })
  );
  return chunks;
}

/** Slots of the second layer: score by score its hidden weights, then the biases. */
function clearOutputs(second: readonly Float64Array[]): Uint32Array {
  const integers = [...second.flatMap((row) => [...row.subarray(0, -1)]), ...second.map((row) => row[row.length - 1])];
  const lwe = new Uint32Array(integers.length * LWE_WORDS);
  integers.forEach((integer, i) => lwe[i * LWE_WORDS + LWE_WORDS - 1] = integer);
  return lwe;
}
