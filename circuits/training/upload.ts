/** What one owner sends for one batch, as bytes: data of all chunks, labels, or both; and a batch of several owners' parts. */
import { SottoError } from "../../errors.ts";
import { rgswRecordBytes } from "../layout.ts";
import type { EncryptionKind } from "../training_backend.ts";
import { type EncryptedBatch, type EncryptedRecord, labelBytes } from "./batch.ts";
import { geometryOf } from "./geometry.ts";
import { scoreCount, type TrainingSpec } from "./spec.ts";

export interface OwnerUpload {
  /** A record a chunk; empty: this owner has no features. */
  readonly data: readonly EncryptedRecord[];
  /** Absent: another owner has the labels. */
  readonly labels?: EncryptedRecord;
}

/** Data records in order, then the label record. */
export function joinUpload({ data, labels }: OwnerUpload): Uint8Array {
  const records = [...data, ...(labels ? [labels] : [])].map(({ record }) => record);
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
  records.reduce((at, record) => (bytes.set(record, at), at + record.length), 0);
  return bytes;
}

/**
 * The records in such bytes, told apart by their length.
 * @throws SottoError `malformed_file` for any other length
 */
export function splitUpload(spec: TrainingSpec, kind: EncryptionKind, bytes: Uint8Array): OwnerUpload {
  const { chunkCount, rows } = geometryOf(spec);
  const dataBytes = chunkCount * rgswRecordBytes(kind), labelsBytes = labelBytes(kind, rows * scoreCount(spec));
  const hasData = bytes.length >= dataBytes;
  const rest = bytes.length - (hasData ? dataBytes : 0);
  if ((rest !== 0 && rest !== labelsBytes) || bytes.length === 0) {
    throw new SottoError(
      "malformed_file",
      `a batch has ${bytes.length} bytes: ${dataBytes} of data, ${labelsBytes} of labels, or both are needed`,
    );
  }
  const size = rgswRecordBytes(kind);
  const data = Array.from(
    { length: hasData ? chunkCount : 0 },
    (_, k) => ({ kind, record: bytes.slice(k * size, (k + 1) * size) }),
  );
  return rest === 0 ? { data } : { data, labels: { kind, record: bytes.slice(bytes.length - rest) } };
}

/**
 * The batch that several owners' parts make together.
 * @throws SottoError `conflict` while nobody has sent data, or nobody labels
 */
export function mergeUploads(spec: TrainingSpec, uploads: readonly OwnerUpload[]): EncryptedBatch {
  const withData = uploads.filter(({ data }) => data.length > 0);
  const labels = uploads.flatMap((upload) => upload.labels ?? []);
  if (withData.length === 0) throw new SottoError("conflict", "no owner has sent data for this batch yet");
  if (labels.length === 0) throw new SottoError("conflict", "no owner has sent labels for this batch yet");
  const { chunkCount } = geometryOf(spec);
  return { chunks: Array.from({ length: chunkCount }, (_, k) => withData.map(({ data }) => data[k])), labels };
}
