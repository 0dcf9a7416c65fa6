/** Rows to an encrypted rows file. */
import type { ClientBackend } from "../circuits/backend.ts";
import type { Description } from "../circuits/description.ts";
import { encodeNetworkRows, NETWORK_INPUT_SCALE } from "../circuits/network/rows.ts";
import { encodeScoreRows } from "../circuits/score_rows.ts";
import { encodeTreesRows, treesScale } from "../circuits/trees_rows.ts";
import { encodeFile, type Header, inputRecordBytes } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import type { Row } from "../models/types.ts";
import { type LongCallOptions, refuseCancelled, requireParameterSet, type TargetModel } from "./calls.ts";
import { encryptLinearRows } from "./encrypt_linear.ts";
import type { OpenSecretKey } from "./keys.ts";

/** Rows encrypted in one call of the back end: bounds memory, and how often progress is told. */
const ROWS_PER_CALL = 64;

/** What encryption gives. */
export interface EncryptedRows {
  readonly file: Uint8Array;
  /**
   * Linear models: log2 of the fixed-point factor of each ciphertext, which decryption needs. It depends on the rows, so it stays
   * with the client. Null for other models.
   */
  readonly scales: readonly number[] | null;
}

/**
 * Encrypts rows for one model.
 * @throws SottoError rows_refused (no rows, a wrong number of values, a value that the model does not take), wrong_parameter_set,
 * cancelled.
 */
export async function encryptRows(
  backend: ClientBackend,
  secret: OpenSecretKey,
  model: TargetModel,
  rows: readonly Row[],
  options: LongCallOptions = {},
): Promise<EncryptedRows> {
  if (rows.length === 0) throw new SottoError("rows_refused", "there are no rows to encrypt: give at least one");
  requireParameterSet(backend, model.description);
  const { description } = model;
  const { records, scales } = description.mode === "linear"
    ? await encryptLinearRows(backend, secret, description, rows, options)
    : { records: await encryptMessages(backend, secret, description, rows, options), scales: null };
  const recordBytes = inputRecordBytes(description.input_bits);
  const header: Header = {
    kind: "encrypted_rows",
    recordCount: records.length / recordBytes,
    recordBytes,
    rowCount: rows.length,
    coefficientBits: description.input_bits,
    flags: 0,
    parameterSet: backend.parameterSet,
    keyId: secret.keyId,
    modelId: modelIdBytes(model.id),
  };
  return { file: encodeFile(header, records), scales };
}

/** A mode whose rows have ciphertexts of their own. */
type RowDescription = Exclude<Description, { mode: "linear" }>;

async function encryptMessages(
  backend: ClientBackend,
  secret: OpenSecretKey,
  description: RowDescription,
  rows: readonly Row[],
  options: LongCallOptions,
): Promise<Uint8Array> {
  const perRow = description.ciphertexts_per_row;
  const rowBytes = perRow * inputRecordBytes(description.input_bits);
  const records = new Uint8Array(rows.length * rowBytes);
  for (let first = 0; first < rows.length; first += ROWS_PER_CALL) {
    refuseCancelled(options);
    const part = rows.slice(first, first + ROWS_PER_CALL);
    const { messages, scale } = encodeRows(description, part);
    const ciphertextCount = part.length * perRow;
    const shape = { ciphertextCount, stride: messages.length / ciphertextCount, scale, bits: description.input_bits };
    records.set(await backend.encrypt(secret.key, messages, shape), first * rowBytes);
    messages.fill(0);
    options.onProgress?.((first + part.length) / rows.length);
  }
  return records;
}

/** The messages of rows, and what one unit of a message is. */
function encodeRows(description: RowDescription, rows: readonly Row[]): { messages: Int32Array; scale: bigint } {
  switch (description.mode) {
    case "leaves":
      return { messages: encodeTreesRows(description, rows), scale: treesScale(description) };
    case "score":
      return { messages: encodeScoreRows(description, rows), scale: NETWORK_INPUT_SCALE };
    case "network":
      return { messages: encodeNetworkRows(description, rows), scale: NETWORK_INPUT_SCALE };
  }
}

/** The 32 bytes of a model's id. @throws SottoError model_unknown when it is not 64 hex digits. */
export function modelIdBytes(id: string): Uint8Array {
  if (/^[0-9a-f]{64}$/.test(id)) return Uint8Array.fromHex(id);
  throw new SottoError("model_unknown", `"${id}" is not the id of a model: it has 64 hex digits`);
}
