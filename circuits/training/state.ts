/** The encrypted state of a run and its one file form, the checkpoint. */
import { SottoError } from "../../errors.ts";
import { LWE_WORDS } from "../backend.ts";
import { CIPHERTEXT_WORDS } from "../training_backend.ts";
import { geometryOf } from "./geometry.ts";
import { scoreCount, type TrainingSpec } from "./spec.ts";

export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  /** Weights that meet the data: a chunk each, one ciphertext a score or hidden unit. */
  readonly weights: readonly BigUint64Array[];
  /** Of a network: lwe of the second layer, score by score its weights; then the biases of the scores. Empty otherwise. */
  readonly outputs: Uint32Array;
}

/** "SOTTOTR1", then the step, the words of weights and the words of outputs as 32-bit integers, then 12 zero bytes. */
const MAGIC = "SOTTOTR1";
const HEADER_BYTES = 32;

/** Ciphertexts a chunk, and lwe of the second layer. */
export function stateShape(spec: TrainingSpec): { readonly units: number; readonly chunks: number; lwe: number } {
  const chunks = geometryOf(spec).chunkCount;
  const scores = scoreCount(spec);
  if (spec.kind !== "mlp") return { units: scores, chunks, lwe: 0 };
  return { units: spec.hidden.width, chunks, lwe: scores * (spec.hidden.width + 1) };
}

/** Bytes of a checkpoint. */
export function checkpointBytes(spec: TrainingSpec): number {
  const { units, chunks, lwe } = stateShape(spec);
  return HEADER_BYTES + units * chunks * CIPHERTEXT_WORDS * 8 + lwe * LWE_WORDS * 4;
}

export function encodeCheckpoint(spec: TrainingSpec, state: TrainingState): Uint8Array {
  const bytes = new Uint8Array(checkpointBytes(spec));
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  const words = state.weights.reduce((sum, chunk) => sum + chunk.length, 0);
  [state.step, words, state.outputs.length].forEach((value, i) => view.setUint32(8 + 4 * i, value, true));
  let at = HEADER_BYTES;
  for (const chunk of state.weights) {
    for (let i = 0; i < chunk.length; i++, at += 8) view.setBigUint64(at, chunk[i], true);
  }
  for (let i = 0; i < state.outputs.length; i++, at += 4) view.setUint32(at, state.outputs[i], true);
  return bytes;
}

/** @throws SottoError `malformed_file` when the bytes are no checkpoint of this specification */
export function decodeCheckpoint(spec: TrainingSpec, bytes: Uint8Array): TrainingState {
  const { units, chunks, lwe } = stateShape(spec);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const known = bytes.length === checkpointBytes(spec) && new TextDecoder().decode(bytes.subarray(0, 8)) === MAGIC &&
    view.getUint32(12, true) === units * chunks * CIPHERTEXT_WORDS && view.getUint32(16, true) === lwe * LWE_WORDS;
  if (!known) throw new SottoError("malformed_file", "this is no checkpoint of this training specification");
  const step = view.getUint32(8, true);
  if (step > spec.steps) throw new SottoError("malformed_file", `a checkpoint after step ${step} of ${spec.steps}`);
  const words = units * CIPHERTEXT_WORDS;
  const weights = Array.from(
    { length: chunks },
    (_, k) =>
      BigUint64Array.from({ length: words }, (_, i) => view.getBigUint64(HEADER_BYTES + 8 * (k * words + i), true)),
  );
  const first = HEADER_BYTES + chunks * words * 8;
  const outputs = Uint32Array.from({ length: lwe * LWE_WORDS }, (_, i) => view.getUint32(first + 4 * i, true));
  return { step, weights, outputs };
}
