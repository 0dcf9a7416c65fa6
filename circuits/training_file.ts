/** The files of training sessions (`docs/files.md`): one record each, whose model id names the session and the batch. */
import { COEFFICIENT_BITS } from "../params/mod.ts";
import { decodeFile, encodeFile, type FileKind, malformed } from "./wire_file.ts";

/** Kinds of training sessions. */
export type TrainingFileKind = Extract<FileKind, `training_${string}`>;

/** What the header of such a file says. */
export interface TrainingHeader {
  readonly kind: TrainingFileKind;
  readonly parameterSet: string;
  readonly keyId: Uint8Array;
  /** 32 bytes, of `sessionBytes`; zero for keys. */
  readonly subject: Uint8Array;
  /** Batches: rows; weights: steps done; keys: 0. */
  readonly rowCount: number;
  /** Batches: 0, or `FLAG_PUBLIC`; weights: 0, or `FLAG_FRESH`; keys: 0. */
  readonly flags: number;
}

export interface TrainingFile {
  readonly header: TrainingHeader;
  readonly payload: Uint8Array;
  /** SHA-256 of header and payload as 64 hex digits. */
  readonly digest: string;
}

/** Header, payload and digest as one array. */
export function encodeTrainingFile(header: TrainingHeader, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const { subject: modelId, ...rest } = header;
  const record = { recordCount: 1, recordBytes: payload.length, coefficientBits: COEFFICIENT_BITS };
  return encodeFile({ ...rest, modelId, ...record }, payload) as Uint8Array<ArrayBuffer>;
}

/**
 * Checks a whole file: header, length, digest.
 * @throws SottoError as `decodeFile`
 */
export function decodeTrainingFile(
  bytes: Uint8Array,
  expected: { readonly kind: TrainingFileKind; readonly parameterSet: string },
): TrainingFile {
  const { header, payload, digest } = decodeFile(bytes, expected);
  if (header.recordCount !== 1) malformed(`it announces ${header.recordCount} records, such a file has one`);
  const { parameterSet, keyId, modelId: subject, rowCount, flags } = header;
  return { header: { kind: expected.kind, parameterSet, keyId, subject, rowCount, flags }, payload, digest };
}

/** The 32 bytes by which files name a session (its id) and a batch: 16 bytes, the number in 4 bytes, zeros. */
export function sessionBytes(sessionId: string, batch = 0): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(Uint8Array.fromHex(sessionId.replaceAll("-", "")));
  new DataView(bytes.buffer).setUint32(16, batch, true);
  return bytes;
}
