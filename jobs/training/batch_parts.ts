/** An owner's part of a batch: data and labels, data alone from an owner of columns, labels alone from an owner of labels. */
import type { ServerBackend } from "../../circuits/backend.ts";
import { labelBytes, labelLwe } from "../../circuits/training/batch.ts";
import { geometryOf } from "../../circuits/training/geometry.ts";
import { scoreCount, type TrainingSpec } from "../../circuits/training/spec.ts";
import { type OwnerUpload, splitUpload } from "../../circuits/training/upload.ts";
import type { EncryptionKind } from "../../circuits/training_backend.ts";
import { DIGEST_BYTES, HEADER_BYTES, rgswRecordBytes } from "../../circuits/wire.ts";
import type { OwnerKind } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";

/** How an encryption is written in the flags of a file. */
const ENCRYPTIONS = ["seeded", "public"] as const satisfies readonly EncryptionKind[];

/** The longest file that a part may be: that of an owner without the secret key. */
export function partFileBytesMax(spec: TrainingSpec, owner: OwnerKind): number {
  const data = owner === "labels" ? 0 : geometryOf(spec).chunkCount * rgswRecordBytes("public");
  const labels = owner === "columns" ? 0 : labelBytes("public", spec.batch_size * scoreCount(spec));
  return HEADER_BYTES + data + labels + DIGEST_BYTES;
}

/** The records of a part. Throws `malformed_file` for another length, or when they are not what the owner brings. */
export function splitPart(
  spec: TrainingSpec,
  owner: OwnerKind,
  { header, payload }: { readonly header: { readonly flags: number }; readonly payload: Uint8Array },
): OwnerUpload {
  const part = splitUpload(spec, ENCRYPTIONS[header.flags], payload);
  const [hasData, hasLabels] = [part.data.length > 0, part.labels !== undefined];
  if (hasData === (owner !== "labels") && hasLabels === (owner !== "columns")) return part;
  const wanted = { rows: "data and labels", columns: "data alone", labels: "labels alone" }[owner];
  throw new SottoError("malformed_file", `an owner of ${owner} sends ${wanted}: encrypt the part again`);
}

/** Loads every record once. Throws `malformed_file` when the back end refuses one. */
export async function requireLoadable(backend: ServerBackend, spec: TrainingSpec, part: OwnerUpload): Promise<void> {
  for (const { kind, record } of part.data) (await backend.training.loadRgsw(kind, record)).close();
  if (part.labels !== undefined) labelLwe(backend, [part.labels], spec.batch_size * scoreCount(spec));
}
