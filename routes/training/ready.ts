/** What must be there before a session can run. */
import { lookupSettingOf, type TrainingSpec } from "../../circuits/training/mod.ts";
import {
  countTrainingBatches,
  type EvaluationKeysRow,
  findCapability,
  listTrainingOwners,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Services } from "../services.ts";
import { specOf } from "./find_session.ts";
import { columnName } from "./owners.ts";

/** The registered lookup keys of the session's key pair. Throws `key_missing` naming what to send or to make. */
export async function findLookupKeys({ database }: Services, session: TrainingSessionRow): Promise<EvaluationKeysRow> {
  const { keyId, tenantId } = session;
  if (keyId === null || session.trainingKeysObject === null || session.publicKeyObject === null) {
    const message = "the session needs a training key file and a public key file: send both with PUT .../keys";
    throw new SottoError("key_missing", message);
  }
  const capability = `lookup${lookupSettingOf(specOf(session))}` as const;
  const row = await findCapability(database, { tenantId, keyId }, capability);
  if (row !== undefined) return row;
  const command = `sotto keys make --capability ${capability} --key SECRET_KEY_FILE`;
  const message = `no ${capability} keys of key pair ${keyId} are registered, or they have expired`;
  throw new SottoError("key_missing", `${message}: make them with \`${command}\` and register them`);
}

/** Throws `conflict` naming everything that is still missing. */
export async function requireComplete({ database }: Services, session: TrainingSessionRow): Promise<void> {
  const owners = await listTrainingOwners(database, session.id);
  const counts = await countTrainingBatches(database, session.id);
  const missing = [
    ...uncovered(specOf(session), session, owners),
    ...unconfirmed(session, owners),
    ...owners.flatMap((owner) => missingParts(owner, counts.get(owner.id) ?? 0)),
  ];
  if (missing.length === 0) return;
  throw new SottoError("conflict", `the session cannot run yet: ${missing.join("; ")}`);
}

function uncovered(spec: TrainingSpec, session: TrainingSessionRow, owners: readonly TrainingOwnerRow[]): string[] {
  const columnOwners = owners.filter(({ kind }) => kind === "columns");
  const hasLabels = owners.some(({ kind }) => kind === "labels");
  if (columnOwners.length === 0 && !hasLabels) {
    const covered = owners.reduce((sum, { batchCount }) => sum + batchCount, 0);
    return covered === session.batchCount ? [] : [`${session.batchCount - covered} batches belong to no data owner`];
  }
  const owned = new Set(columnOwners.flatMap(({ columns }) => columns));
  const all = Array.from({ length: spec.features.length + 1 }, (_, column) => column);
  const free = all.filter((column) => !owned.has(column));
  const columns = free.length === 0 ? [] : [
    `${free.slice(0, 5).map((f) => columnName(spec, f)).join(", ")}${
      free.length > 5 ? ` and ${free.length - 5} more` : ""
    } belong to no data owner`,
  ];
  return hasLabels ? columns : [...columns, "no data owner brings the labels"];
}

function unconfirmed(session: TrainingSessionRow, owners: readonly TrainingOwnerRow[]): string[] {
  const aligned = owners.filter(({ kind }) => kind !== "rows");
  if (aligned.length === 0) return [];
  if (session.orderDigest === null) return ["no row order was published"];
  return aligned.filter(({ orderDigest }) => orderDigest !== session.orderDigest)
    .map(({ name }) => `${name} has not confirmed the row order`);
}

function missingParts(owner: TrainingOwnerRow, parts: number): string[] {
  return parts === owner.batchCount ? [] : [`${owner.name} has uploaded ${parts} of ${owner.batchCount} batches`];
}
