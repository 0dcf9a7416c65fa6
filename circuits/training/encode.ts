/** What owners of data do: a batch of rows as ciphertexts, all of them, or their columns, or their labels only. */
import { SottoError } from "../../errors.ts";
import { CURRENT } from "../../params/mod.ts";
import type { ClientBackend, SecretKey } from "../backend.ts";
import { type EncryptedBatch, type EncryptedRecord, publicLabels, seededLabels } from "./batch.ts";
import { dataIntegers, labelIntegers, unitRow } from "./data.ts";
import { dataPosition, geometryOf } from "./geometry.ts";
import { mlpScales } from "./mlp_scales.ts";
import { linearScales } from "./scales.ts";
import { scoreCount, type TrainingSpec } from "./spec.ts";

const N = CURRENT.ringDegree;

/** Whoever has the secret key sends half as much; all others encrypt with the public key. */
export type Encryptor = { readonly secretKey: SecretKey } | { readonly publicKey: Uint8Array };

/** An owner's rows of one batch; `rows[i]` undefined: another owner's row. A row that nobody sends is zero. */
export interface OwnRows {
  readonly rows: readonly (ArrayLike<number> | undefined)[];
  /** Column indices of this owner, `features.length` the constant one; default: all. Other cells are ignored. */
  readonly columns?: readonly number[];
}

/** Integer polynomials of all chunks. */
export function dataMessages(spec: TrainingSpec, { rows, columns }: OwnRows): Int32Array[] {
  const geometry = geometryOf(spec);
  const chunks = Array.from({ length: geometry.chunkCount }, () => new Int32Array(N));
  const owned = columns === undefined ? undefined : new Set(columns);
  rows.forEach((row, i) => {
    if (row === undefined) return;
    const visible = owned === undefined ? row : spec.features.map((_, f) => owned.has(f) ? row[f] : 0);
    dataIntegers(spec, unitRow(spec, visible)).forEach((integer, column) => {
      if (owned !== undefined && !owned.has(column)) return;
      const { chunk, coefficient } = dataPosition(geometry, i, column);
      chunks[chunk][coefficient] = integer;
    });
  });
  return chunks;
}

/** Encrypts an owner's rows of one batch, a record a chunk. */
export async function encryptData(
  backend: ClientBackend,
  owner: Encryptor,
  spec: TrainingSpec,
  own: OwnRows,
): Promise<EncryptedRecord[]> {
  const records: EncryptedRecord[] = [];
  for (const messages of dataMessages(spec, own)) {
    records.push(
      "secretKey" in owner
        ? { kind: "seeded", record: await backend.training.encryptRgsw(owner.secretKey, messages) }
        : { kind: "public", record: await backend.training.encryptRgswPublic(owner.publicKey, messages) },
    );
  }
  return records;
}

/** Encrypts the labels of one batch; `targets[i]` undefined: another owner's row. */
export async function encryptLabels(
  backend: ClientBackend,
  owner: Encryptor,
  spec: TrainingSpec,
  targets: readonly (number | undefined)[],
): Promise<EncryptedRecord> {
  const scores = scoreCount(spec);
  const count = spec.batch_size * scores;
  const messages = new Int32Array(count);
  targets.forEach((target, i) => target !== undefined && messages.set(labelIntegers(spec, target), i * scores));
  const scale = spec.kind === "mlp" ? mlpScales(spec).labelScale : linearScales(spec).labelScale;
  if ("publicKey" in owner) {
    return publicLabels(backend.training.encryptPublic(owner.publicKey, messages, scale), count);
  }
  const shape = { ciphertextCount: 1, stride: count, scale, bits: 50 };
  return seededLabels(await backend.encrypt(owner.secretKey, messages, shape), count);
}

/**
 * A whole batch of one owner.
 * @throws SottoError `rows_refused` for another number of rows than the batch size
 */
export async function encryptBatch(
  backend: ClientBackend,
  owner: Encryptor,
  spec: TrainingSpec,
  batch: { readonly rows: readonly ArrayLike<number>[]; readonly targets: readonly number[] },
): Promise<EncryptedBatch> {
  if (batch.rows.length !== spec.batch_size || batch.targets.length !== spec.batch_size) {
    const has = `a batch has ${batch.rows.length} rows and ${batch.targets.length} targets`;
    throw new SottoError("rows_refused", `${has}, ${spec.batch_size} of each are needed`);
  }
  const data = await encryptData(backend, owner, spec, { rows: batch.rows });
  const labels = await encryptLabels(backend, owner, spec, batch.targets);
  return { chunks: data.map((record) => [record]), labels: [labels] };
}
