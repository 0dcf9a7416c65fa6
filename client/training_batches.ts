/** What a data owner does: its rows, columns or labels as encrypted batches of a training session. */
import type { ClientBackend } from "../circuits/backend.ts";
import { batchesOf, encryptData, encryptLabels, type Encryptor, type TrainingSpec } from "../circuits/training/mod.ts";
import { joinUpload, type OwnerUpload } from "../circuits/training/upload.ts";
import { SottoError } from "../errors.ts";
import { type LongCallOptions, refuseCancelled } from "./calls.ts";
import { encodeTrainingFile, sessionBytes } from "../circuits/training_file.ts";
import type { DataOwner, TrainingCalls, TrainingPublic } from "./training_http.ts";

/** What an owner has, in the published order (owners of rows: in any order). */
export interface OwnData {
  /** Rows in the order of the specification's features; cells of others' columns are ignored. Empty for an owner of labels. */
  readonly rows: readonly ArrayLike<number>[];
  /** A class number or a value a row. Empty for an owner of columns. */
  readonly targets: readonly number[];
}

/** Where a batch belongs. */
export interface BatchTarget {
  readonly sessionId: string;
  readonly spec: TrainingSpec;
  /** 64 hex digits. */
  readonly keyId: string;
}

/** The file of an owner's part of a batch; `members` are the numbers of its rows. */
export async function batchFile(
  backend: ClientBackend,
  encryptor: Encryptor,
  target: BatchTarget,
  own: { readonly owner: Pick<DataOwner, "kind" | "columns" | "bias">; readonly data: OwnData },
  batch: { readonly number: number; readonly members: Iterable<number> },
): Promise<Uint8Array> {
  const { spec } = target;
  const { owner, data } = own;
  const members = [...batch.members];
  const rows = members.map((row) => data.rows[row]);
  const targets = members.map((row) => data.targets[row]);
  const visible = { rows, columns: columnsOf(spec, owner) };
  const part = {
    data: owner.kind === "labels" ? [] : await encryptData(backend, encryptor, spec, visible),
    labels: owner.kind === "columns" ? undefined : await encryptLabels(backend, encryptor, spec, targets),
  };
  return batchFileOf(backend, target, { number: batch.number, rowCount: spec.batch_size }, part);
}

/** An owner's part as the file of a batch. */
export function batchFileOf(
  backend: ClientBackend,
  { sessionId, keyId }: BatchTarget,
  batch: { readonly number: number; readonly rowCount: number },
  part: OwnerUpload,
): Uint8Array {
  const isPublic = [...part.data, part.labels].some((record) => record?.kind === "public");
  return encodeTrainingFile({
    kind: "training_batch",
    parameterSet: backend.parameterSet,
    keyId: Uint8Array.fromHex(keyId),
    subject: sessionBytes(sessionId, batch.number),
    rowCount: batch.rowCount,
    flags: isPublic ? 1 : 0,
  }, joinUpload(part));
}

/** Column numbers of an owner; the constant column has the number after the last feature. Nothing: all of them. */
function columnsOf(spec: TrainingSpec, owner: Pick<DataOwner, "kind" | "columns" | "bias">): number[] | undefined {
  if (owner.kind === "rows") return undefined;
  const columns = owner.columns.map((name) => spec.features.findIndex((feature) => feature.name === name));
  return owner.bias ? [...columns, spec.features.length] : columns;
}

/**
 * Encrypts an owner's data and sends it, batch by batch.
 * @throws SottoError key_missing, rows_refused for another number of rows, cancelled, and what encrypting and sending throw.
 */
export async function sendBatches(
  calls: Pick<TrainingCalls, "putBatch">,
  backend: ClientBackend,
  encryptor: Encryptor,
  shared: Pick<TrainingPublic, "id" | "spec" | "key_id" | "owner">,
  data: OwnData,
  options: LongCallOptions = {},
): Promise<{ readonly batches: number; readonly bytes: number }> {
  if (shared.key_id === null) {
    throw new SottoError("key_missing", "the session has no public key yet: its owner sends it first");
  }
  const { owner, spec } = shared;
  const batches = batchesOf(spec, Math.max(data.rows.length, data.targets.length));
  requireBatches(owner, spec, batches.length, data);
  const target = { sessionId: shared.id, spec, keyId: shared.key_id };
  let bytes = 0;
  for (const [index, members] of batches.entries()) {
    refuseCancelled(options);
    const number = owner.first_batch + index;
    const file = await batchFile(backend, encryptor, target, { owner, data }, { number, members });
    await calls.putBatch(shared.id, number, file, options.signal);
    bytes += file.length;
    options.onProgress?.((index + 1) / batches.length);
  }
  return { batches: batches.length, bytes };
}

function requireBatches(owner: DataOwner, spec: TrainingSpec, count: number, { rows, targets }: OwnData): void {
  if (owner.kind === "rows" && rows.length !== targets.length) {
    throw new SottoError("rows_refused", `there are ${rows.length} rows and ${targets.length} labels: give one a row`);
  }
  if (count === owner.batch_count) return;
  const has = Math.max(rows.length, targets.length);
  const most = owner.batch_count * spec.batch_size;
  throw new SottoError(
    "rows_refused",
    `${has} rows make ${count} batches, your part of the session has ${owner.batch_count}: ` +
      `bring ${most - spec.batch_size + 1} to ${most} rows`,
  );
}
