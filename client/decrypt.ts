/** An encrypted answers file to predictions. */
import type { ClientBackend } from "../circuits/backend.ts";
import type { Description } from "../circuits/description.ts";
import { type AnswerLayout, lweAnswerLayout } from "../circuits/layout.ts";
import { linearLayout } from "../circuits/linear_rows.ts";
import { decodeNetworkAnswers } from "../circuits/network/rows.ts";
import { decodeScoreAnswers, scoreAnswerLayout } from "../circuits/score_rows.ts";
import { decodeTreesAnswers, treesAnswerLayout, treesScale } from "../circuits/trees_rows.ts";
import { type DecodedFile, decodeFile } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { finish } from "../models/output.ts";
import type { Prediction } from "../models/types.ts";
import { decryptLinearAnswers } from "./decrypt_linear.ts";
import { type LongCallOptions, refuseCancelled, requireParameterSet, type TargetModel } from "./calls.ts";
import type { OpenSecretKey } from "./keys.ts";

/** Answers decrypted in one call of the back end. */
const RECORDS_PER_CALL = 256;

/** Options of decryption. */
export interface DecryptOptions extends LongCallOptions {
  /** What `encryptRows` gave for the same rows; needed for linear models, ignored for trees. */
  readonly scales?: readonly number[] | null;
}

/**
 * Decrypts the answers of a model, one prediction a row, in the order of the rows.
 * @throws SottoError malformed_file, digest_mismatch, wrong_file_kind, wrong_parameter_set, wrong_key, wrong_model, cancelled.
 */
export async function decryptAnswers(
  backend: ClientBackend,
  secret: OpenSecretKey,
  model: TargetModel,
  file: Uint8Array,
  options: DecryptOptions = {},
): Promise<Prediction[]> {
  const { description } = model;
  requireParameterSet(backend, description);
  const answers = decodeFile(file, { kind: "encrypted_answers", parameterSet: backend.parameterSet });
  requireOwner(answers, secret, model.id);
  requireShape(answers, description);
  const scores = description.mode === "linear"
    ? await decryptLinearAnswers(backend, secret, description, answers, options.scales, options)
    : await decryptRowAnswers(backend, secret, description, answers, options);
  return toPredictions(description, scores, answers.header.rowCount);
}

/** A mode whose rows have answer records of their own. */
type RowDescription = Exclude<Description, { mode: "linear" }>;

async function decryptRowAnswers(
  backend: ClientBackend,
  secret: OpenSecretKey,
  description: RowDescription,
  { header, payload }: DecodedFile,
  options: LongCallOptions,
): Promise<Float64Array> {
  const layout = answerLayoutOf(description);
  const scale = description.mode === "leaves" ? treesScale(description) : 1n;
  const width = description.output.base.length;
  const scores = new Float64Array(header.rowCount * width);
  for (let first = 0; first < header.rowCount; first += RECORDS_PER_CALL) {
    refuseCancelled(options);
    const recordCount = Math.min(RECORDS_PER_CALL, header.rowCount - first);
    const records = payload.subarray(first * layout.recordBytes, (first + recordCount) * layout.recordBytes);
    const values = await backend.decrypt(secret.key, records, { ...layout, recordCount, scale });
    scores.set(decodeScores(description, values, recordCount), first * width);
    options.onProgress?.((first + recordCount) / header.rowCount);
  }
  return scores;
}

/** Scores of each row, row after row; those of a network's first output. */
function decodeScores(description: RowDescription, values: Float64Array, rowCount: number): Float64Array {
  switch (description.mode) {
    case "leaves":
      return decodeTreesAnswers(description, values, rowCount);
    case "score":
      return decodeScoreAnswers(description, values);
    case "network":
      return Float64Array.from(decodeNetworkAnswers(description, values, rowCount).flatMap(([first]) => [...first]));
  }
}

function answerLayoutOf(description: Description): AnswerLayout {
  switch (description.mode) {
    case "linear":
      return linearLayout(description);
    case "leaves":
      return treesAnswerLayout(description);
    case "score":
      return scoreAnswerLayout(description);
    case "network": {
      const count = description.outputs.reduce((sum, { scales }) => sum + scales.length, 0);
      return lweAnswerLayout(count, description.answer_bits);
    }
  }
}

function toPredictions(description: Description, scores: Float64Array, rowCount: number): Prediction[] {
  const width = description.output.base.length;
  return Array.from({ length: rowCount }, (_, row) => {
    return finish(description.output, scores.subarray(row * width, (row + 1) * width));
  });
}

function requireOwner({ header }: DecodedFile, secret: OpenSecretKey, modelId: string): void {
  if (header.keyId.toHex() !== secret.keyId.toHex()) {
    throw new SottoError(
      "wrong_key",
      `the answers belong to key pair ${header.keyId.toHex()}, the secret key is of ${secret.keyId.toHex()}`,
    );
  }
  if (header.modelId.toHex() !== modelId) {
    throw new SottoError("wrong_model", `the answers are of model ${header.modelId.toHex()}, not of ${modelId}`);
  }
}

function requireShape({ header }: DecodedFile, description: Description): void {
  const layout = answerLayoutOf(description);
  const perRecord = description.mode === "linear" ? description.rows_per_ciphertext : 1;
  const fits = header.coefficientBits === description.answer_bits && header.recordBytes === layout.recordBytes &&
    header.recordCount === Math.ceil(header.rowCount / perRecord);
  if (!fits) {
    throw new SottoError("malformed_file", "the answers do not have the shape of this model's: ask for them again");
  }
}
