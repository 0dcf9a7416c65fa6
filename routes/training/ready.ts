/** What must be there before a session can run. */
import type { TrainingSpec } from "../../circuits/training/mod.ts";
import {
  countTrainingBatches,
  listTrainingOwners,
  type TrainingOwnerRow,
  type TrainingSessionRow,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { specOf } from "../../jobs/mod.ts";
import type { Services } from "../services.ts";
import { columnName } from "./owners.ts";

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
