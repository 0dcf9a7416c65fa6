import { asc, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { trainingBatches, trainingOwners } from "./schema.ts";

export type TrainingOwnerRow = typeof trainingOwners.$inferSelect;

/** Adds an owner; false when the session has one of that name. */
export async function insertTrainingOwner(database: Database, row: TrainingOwnerRow): Promise<boolean> {
  const inserted = await database.queries.insert(trainingOwners).values(row).onConflictDoNothing()
    .returning({ id: trainingOwners.id });
  return inserted.length === 1;
}

/** An owner by its id. */
export async function findTrainingOwner(database: Database, id: string): Promise<TrainingOwnerRow | undefined> {
  const [row] = await database.queries.select().from(trainingOwners).where(eq(trainingOwners.id, id));
  return row;
}

/** The owners of a session, oldest first. */
export function listTrainingOwners(database: Database, sessionId: string): Promise<TrainingOwnerRow[]> {
  return database.queries.select().from(trainingOwners).where(eq(trainingOwners.sessionId, sessionId))
    .orderBy(asc(trainingOwners.createdAt), asc(trainingOwners.id));
}

/** Remembers the row order that an owner confirms. */
export async function setOrderConfirmation(database: Database, id: string, orderDigest: string): Promise<void> {
  await database.queries.update(trainingOwners).set({ orderDigest }).where(eq(trainingOwners.id, id));
}

/** Forgets every confirmation of a session. */
export async function resetOrderConfirmations(database: Database, sessionId: string): Promise<void> {
  await database.queries.update(trainingOwners).set({ orderDigest: null })
    .where(eq(trainingOwners.sessionId, sessionId));
}

/** Removes an owner with its tokens and its parts of batches; returns the objects that these named. */
export async function deleteTrainingOwner(database: Database, id: string): Promise<string[]> {
  const parts = await database.queries.select({ digest: trainingBatches.objectDigest }).from(trainingBatches)
    .where(eq(trainingBatches.ownerId, id));
  await database.queries.delete(trainingOwners).where(eq(trainingOwners.id, id));
  return [...new Set(parts.map(({ digest }) => digest))];
}
