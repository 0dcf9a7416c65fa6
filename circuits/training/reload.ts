/** Weights that the key owner checked, changed or made elsewhere, back into a state: to go on, or to start from. */
import { SottoError } from "../../errors.ts";
import { COEFFICIENT_BITS, CURRENT } from "../../params/mod.ts";
import type { ClientBackend, SecretKey, ServerBackend } from "../backend.ts";
import { inputRecordBytes } from "../layout.ts";
import { CIPHERTEXT_WORDS } from "../training_backend.ts";
import { weightIntegers } from "./first_state.ts";
import type { Weights } from "./first_weights.ts";
import { geometryOf, weightPosition } from "./geometry.ts";
import { centredModulus, centredTorus } from "./random_noise.ts";
import type { TrainingSpec } from "./spec.ts";
import { stateShape, type TrainingState } from "./state.ts";

const N = CURRENT.ringDegree;
/** Low bits of the first layer's integers that are rounded away: far below the noise of one step. */
const DROPPED_BITS = 16;
/** Units of q in one of the 32-bit torus. */
const TORUS_UNIT = (CURRENT.modulus + (1n << 31n)) >> 32n;

/** Seeded records of the weights as a state after `step` steps holds them: chunk by chunk its units, then the second layer. */
export async function encryptWeights(
  backend: ClientBackend,
  key: SecretKey,
  spec: TrainingSpec,
  weights: Weights,
  step: number,
): Promise<Uint8Array> {
  const integers = weightIntegers(spec, weights, step);
  const { first, second } = messagesOf(spec, integers);
  const encrypt = (messages: Int32Array, scale: bigint) =>
    backend.encrypt(key, messages, {
      ciphertextCount: messages.length / N,
      stride: N,
      scale,
      bits: COEFFICIENT_BITS,
    });
  const [a, b] = [await encrypt(first, 1n << BigInt(DROPPED_BITS)), await encrypt(second, TORUS_UNIT)];
  const records = new Uint8Array(a.length + b.length);
  records.set(a);
  records.set(b, a.length);
  return records;
}

/**
 * The state that such records hold.
 * @throws SottoError `malformed_file` for records of another length, or a step beyond the last
 */
export function loadWeights(
  backend: ServerBackend,
  spec: TrainingSpec,
  records: Uint8Array,
  step: number,
): TrainingState {
  const { units, chunks, lwe } = stateShape(spec);
  const count = units * chunks + Math.ceil(lwe / N);
  const expected = count * inputRecordBytes(COEFFICIENT_BITS);
  if (records.length !== expected) {
    throw new SottoError("malformed_file", `encrypted weights have ${records.length} bytes, ${expected} are needed`);
  }
  if (!(step >= 0 && step <= spec.steps)) {
    throw new SottoError("malformed_file", `weights after step ${step} of ${spec.steps}`);
  }
  const { training } = backend;
  const all = training.expand(records, COEFFICIENT_BITS);
  const size = units * CIPHERTEXT_WORDS;
  const weights = Array.from({ length: chunks }, (_, k) => all.slice(k * size, (k + 1) * size));
  const parts: Uint32Array[] = [];
  for (let first = 0; first < lwe; first += N) {
    const at = chunks * size + first / N * CIPHERTEXT_WORDS;
    const positions = Uint32Array.from({ length: Math.min(N, lwe - first) }, (_, i) => i);
    parts.push(training.switchToTorus(training.extract(all.slice(at, at + CIPHERTEXT_WORDS), positions)));
  }
  const outputs = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (outputs.set(part, at), at + part.length), 0);
  return { step, weights, outputs };
}

function messagesOf(spec: TrainingSpec, integers: ReturnType<typeof weightIntegers>) {
  const geometry = geometryOf(spec);
  const { units, chunks, lwe } = stateShape(spec);
  const first = new Int32Array(units * chunks * N);
  integers.first.forEach((row, unit) =>
    row.forEach((integer, column) => {
      const { chunk, coefficient } = weightPosition(geometry, column);
      const rounded = Math.round(Number(centredModulus(integer)) / 2 ** DROPPED_BITS);
      first[(chunk * units + unit) * N + coefficient] = rounded;
    })
  );
  const second = new Int32Array(Math.ceil(lwe / N) * N);
  const rows = integers.second;
  const outputs = [...rows.flatMap((row) => [...row.subarray(0, -1)]), ...rows.map((row) => row[row.length - 1])];
  outputs.forEach((integer, i) => second[i] = centredTorus(integer));
  return { first, second };
}
