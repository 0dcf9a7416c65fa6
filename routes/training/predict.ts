/** Predictions of a finished regression: encrypted rows times encrypted weights; the owner of the key reads the scores. */
import type { ServerBackend } from "../../circuits/backend.ts";
import { geometryOf, scorePositions } from "../../circuits/training/geometry.ts";
import { scoreCount, type TrainingSpec } from "../../circuits/training/spec.ts";
import type { OwnerUpload } from "../../circuits/training/upload.ts";
import { CIPHERTEXT_WORDS } from "../../circuits/training_backend.ts";
import { encodeFile, ID_BYTES } from "../../circuits/wire.ts";
import type { TrainingSessionRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { CURRENT } from "../../params/mod.ts";
import type { Services } from "../services.ts";
import { requireAllowed } from "./states.ts";
import { decodeTrainingFile, sessionBytes } from "../../circuits/training_file.ts";
import { partFileBytesMax, specOf, splitPart } from "../../jobs/mod.ts";
import { savedState } from "./weights.ts";

const N = CURRENT.ringDegree;
/** Answers are words mod q, 8 bytes each. */
const WORD_BITS = 64;

/** The longest file of rows. */
export function rowsFileBytesMax(session: TrainingSessionRow): number {
  return partFileBytesMax(specOf(session), "columns");
}

/**
 * The scores of the rows of one batch file without labels, an answers file: a record a score, the mask of its ciphertext and the words
 * of the rows alone. Throws `session_state`, `conflict` for a network, `wrong_key`, `malformed_file`, and what reading a file throws.
 */
export async function predictRows(
  services: Services,
  session: TrainingSessionRow,
  file: Uint8Array,
  signal: AbortSignal,
): Promise<{ answers: Uint8Array<ArrayBuffer>; serverMs: number }> {
  requireAllowed(session.state, "predict");
  const spec = specOf(session);
  if (spec.kind === "mlp") {
    throw new SottoError("conflict", "a network cannot predict while it is encrypted: decrypt it to an ONNX file");
  }
  const { part, rowCount } = checkedRows(services.backend, session, spec, file);
  const { weights } = await savedState(services, session);
  let serverMs = 0;
  const records = await services.predictions.turn(session.tenantId, async () => {
    const start = performance.now();
    const scores = await encryptedScores(services.backend, spec, part, weights);
    serverMs = performance.now() - start;
    return scores;
  }, signal);
  return { answers: answersFile(services.backend, session, spec, rowCount, records), serverMs };
}

function checkedRows(
  backend: ServerBackend,
  session: TrainingSessionRow,
  spec: TrainingSpec,
  bytes: Uint8Array,
): { part: OwnerUpload; rowCount: number } {
  const file = decodeTrainingFile(bytes, { kind: "training_batch", parameterSet: backend.parameterSet });
  const { keyId, subject, rowCount } = file.header;
  if (keyId.toHex() !== session.keyId) {
    const message = `the rows were encrypted for key pair ${keyId.toHex()}, the session has ${session.keyId}`;
    throw new SottoError("wrong_key", message);
  }
  if (subject.toHex() !== sessionBytes(session.id).toHex() || rowCount < 1 || rowCount > spec.batch_size) {
    throw new SottoError("malformed_file", `the file must hold 1 to ${spec.batch_size} rows for this session`);
  }
  return { part: splitPart(spec, "columns", file), rowCount };
}

/** The sum over the chunks of data times weights, one ciphertext a score, cut to the coefficients that hold scores of rows. */
async function encryptedScores(
  { training }: ServerBackend,
  spec: TrainingSpec,
  { data: chunks }: OwnerUpload,
  weights: readonly BigUint64Array[],
): Promise<Uint8Array> {
  let sums = new BigUint64Array(scoreCount(spec) * CIPHERTEXT_WORDS);
  for (const [k, { kind, record }] of chunks.entries()) {
    using data = await training.loadRgsw(kind, record);
    sums = training.add(sums, await training.externalProduct(data, weights[k])) as BigUint64Array<ArrayBuffer>;
  }
  return usefulWords(spec, sums);
}

function usefulWords(spec: TrainingSpec, sums: BigUint64Array): Uint8Array {
  const positions = scorePositions(geometryOf(spec));
  const scores = scoreCount(spec);
  const bytes = new Uint8Array(scores * scoreRecordBytes(spec));
  const view = new DataView(bytes.buffer);
  let at = 0;
  const write = (word: bigint) => view.setBigUint64((at += 8) - 8, word, true);
  for (let score = 0; score < scores; score++) {
    const ciphertext = sums.subarray(score * CIPHERTEXT_WORDS, (score + 1) * CIPHERTEXT_WORDS);
    ciphertext.subarray(0, N).forEach(write);
    positions.forEach((position) => write(ciphertext[N + position]));
  }
  return bytes;
}

function scoreRecordBytes(spec: TrainingSpec): number {
  return (N + spec.batch_size) * WORD_BITS / 8;
}

function answersFile(
  { parameterSet }: ServerBackend,
  session: TrainingSessionRow,
  spec: TrainingSpec,
  rowCount: number,
  records: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const header = {
    kind: "encrypted_answers",
    recordCount: scoreCount(spec),
    recordBytes: scoreRecordBytes(spec),
    rowCount,
    coefficientBits: WORD_BITS,
    flags: 0,
    parameterSet,
    keyId: session.keyId === null ? new Uint8Array(ID_BYTES) : Uint8Array.fromHex(session.keyId),
    modelId: sessionBytes(session.id),
  } as const;
  return encodeFile(header, records) as Uint8Array<ArrayBuffer>;
}
