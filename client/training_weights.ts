/** What the owner of the secret key does with the weights of a session: reads them, refreshes them, reads scores. */
import type { ClientBackend } from "../circuits/backend.ts";
import { geometryOf, scorePositions } from "../circuits/training/geometry.ts";
import {
  decodeCheckpoint,
  decryptWeights,
  encryptData,
  type Encryptor,
  encryptWeights,
  type TrainingSpec,
  type Weights,
} from "../circuits/training/mod.ts";
import { weightScales } from "../circuits/training/scales.ts";
import { scoreCount } from "../circuits/training/spec.ts";
import { CIPHERTEXT_WORDS } from "../circuits/training_backend.ts";
import { decodeFile } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { CURRENT } from "../params/mod.ts";
import type { OpenSecretKey } from "./keys.ts";
import { batchFileOf, type BatchTarget } from "./training_batches.ts";
import { decodeTrainingFile, encodeTrainingFile, sessionBytes } from "../circuits/training_file.ts";
import { FLAG_FRESH } from "../circuits/wire.ts";

const N = CURRENT.ringDegree;
const Q = CURRENT.modulus;
type Secret = Pick<OpenSecretKey, "key" | "keyId">;

/** Weights in clear and the steps that made them. */
export interface OpenWeights {
  readonly weights: Weights;
  readonly step: number;
}

/** Decrypts a weights file. @throws SottoError wrong_key, malformed_file, and what reading a file throws. */
export async function openWeights(
  backend: ClientBackend,
  { key, keyId }: Secret,
  spec: TrainingSpec,
  file: Uint8Array,
): Promise<OpenWeights> {
  const { parameterSet } = backend;
  const { header, payload } = decodeTrainingFile(file, { kind: "training_weights", parameterSet });
  requireKey(header.keyId, keyId);
  const state = decodeCheckpoint(spec, payload);
  return { weights: await decryptWeights(backend, key, spec, state), step: state.step };
}

/** Freshly encrypted weights after `step` steps as a file for `PUT .../weights`. */
export async function refreshedWeights(
  backend: ClientBackend,
  { key, keyId }: Secret,
  session: { readonly id: string; readonly spec: TrainingSpec },
  { weights, step }: OpenWeights,
): Promise<Uint8Array> {
  const header = {
    kind: "training_weights",
    parameterSet: backend.parameterSet,
    keyId,
    subject: sessionBytes(session.id),
    rowCount: step,
    flags: FLAG_FRESH,
  } as const;
  return encodeTrainingFile(header, await encryptWeights(backend, key, session.spec, weights, step));
}

/** Rows for predictions, 1 to `batch_size` of them, as a file for `POST .../predictions`. */
export async function predictionFile(
  backend: ClientBackend,
  encryptor: Encryptor,
  target: BatchTarget,
  rows: readonly ArrayLike<number>[],
): Promise<Uint8Array> {
  const data = await encryptData(backend, encryptor, target.spec, { rows });
  return batchFileOf(backend, target, { number: 0, rowCount: rows.length }, { data });
}

/** The scores in an answers file, one list a row, before any sigmoid. `step`: steps that made the weights. */
export function openScores(
  backend: ClientBackend,
  { key, keyId }: Secret,
  spec: TrainingSpec,
  step: number,
  file: Uint8Array,
): Float64Array[] {
  const { header, payload } = decodeFile(file, { kind: "encrypted_answers", parameterSet: backend.parameterSet });
  requireKey(header.keyId, keyId);
  const [scores, positions] = [scoreCount(spec), scorePositions(geometryOf(spec))];
  const wordCount = N + spec.batch_size;
  if (header.recordCount !== scores || header.recordBytes !== wordCount * 8) {
    throw new SottoError("malformed_file", "the answers do not fit the specification of the session");
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const { scoreUnit, decays } = weightScales(spec);
  const table = Array.from({ length: header.rowCount }, () => new Float64Array(scores));
  for (let score = 0; score < scores; score++) {
    const word = (i: number) => view.getBigUint64((score * wordCount + i) * 8, true);
    const ciphertext = new BigUint64Array(CIPHERTEXT_WORDS);
    for (let i = 0; i < N; i++) ciphertext[i] = word(i);
    positions.forEach((position, row) => ciphertext[N + position] = word(N + row));
    const phases = backend.training.phases(key, ciphertext);
    table.forEach((row, i) => {
      const phase = phases[positions[i]];
      row[score] = Number(phase > Q / 2n ? phase - Q : phase) / scoreUnit * decays[step];
    });
  }
  return table;
}

function requireKey(found: Uint8Array, own: Uint8Array): void {
  if (found.toHex() === own.toHex()) return;
  throw new SottoError("wrong_key", `the file is of key pair ${found.toHex()}, the secret key of ${own.toHex()}`);
}
