import { and, asc, count, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { trainingBatches, trainingOwners } from "./schema.ts";
import type { OwnerKind } from "./types.ts";

export type TrainingBatchRow = typeof trainingBatches.$inferSelect;

/** Adds an owner's part of a batch, or puts it in the place of the one before, which comes back. */
export async function putTrainingBatch(
  database: Database,
  row: TrainingBatchRow,
): Promise<TrainingBatchRow | undefined> {
  const before = await findTrainingBatch(database, row.sessionId, row.batch, row.ownerId);
  const { digest, objectDigest, bytes, createdAt } = row;
  await database.queries.insert(trainingBatches).values(row).onConflictDoUpdate({
    target: [trainingBatches.sessionId, trainingBatches.batch, trainingBatches.ownerId],
    set: { digest, objectDigest, bytes, createdAt },
  });
  return before;
}

/** An owner's part of a batch. */
export async function findTrainingBatch(
  database: Database,
  sessionId: string,
  batch: number,
  ownerId: string,
): Promise<TrainingBatchRow | undefined> {
  const { sessionId: session, batch: number, ownerId: owner } = trainingBatches;
  const [row] = await database.queries.select().from(trainingBatches)
    .where(and(eq(session, sessionId), eq(number, batch), eq(owner, ownerId)));
  return row;
}

/** The parts of a batch with the kind of their owner, in the order in which the owners were added. */
export function listBatchParts(
  database: Database,
  sessionId: string,
  batch: number,
): Promise<{ objectDigest: string; kind: OwnerKind }[]> {
  return database.queries.select({ objectDigest: trainingBatches.objectDigest, kind: trainingOwners.kind })
    .from(trainingBatches)
    .innerJoin(trainingOwners, eq(trainingOwners.id, trainingBatches.ownerId))
    .where(and(eq(trainingBatches.sessionId, sessionId), eq(trainingBatches.batch, batch)))
    .orderBy(asc(trainingOwners.createdAt), asc(trainingOwners.id));
}

/** Parts that each owner of a session has uploaded, by owner id. */
export async function countTrainingBatches(database: Database, sessionId: string): Promise<Map<string, number>> {
  const rows = await database.queries.select({ owner: trainingBatches.ownerId, parts: count() }).from(trainingBatches)
    .where(eq(trainingBatches.sessionId, sessionId)).groupBy(trainingBatches.ownerId);
  return new Map(rows.map(({ owner, parts }) => [owner, parts]));
}
