import { and, asc, count, eq, inArray, isNotNull, notExists, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { jobParts, jobs, trainingBatches, trainingSessions } from "./schema.ts";
import type { StoredLive, TrainingState } from "./types.ts";

export type TrainingSessionRow = typeof trainingSessions.$inferSelect;

/** Adds a session. */
export async function insertTrainingSession(database: Database, row: TrainingSessionRow): Promise<void> {
  await database.queries.insert(trainingSessions).values(row);
}

/** A tenant's session. */
export async function findTrainingSession(
  database: Database,
  tenantId: string,
  id: string,
): Promise<TrainingSessionRow | undefined> {
  const [row] = await database.queries.select().from(trainingSessions)
    .where(and(eq(trainingSessions.tenantId, tenantId), eq(trainingSessions.id, id)));
  return row;
}

/** A tenant's sessions, oldest first. */
export function listTrainingSessions(database: Database, tenantId: string): Promise<TrainingSessionRow[]> {
  return database.queries.select().from(trainingSessions)
    .where(eq(trainingSessions.tenantId, tenantId))
    .orderBy(asc(trainingSessions.createdAt), asc(trainingSessions.id));
}

/** How many sessions a tenant has. */
export async function countTrainingSessions(database: Database, tenantId: string): Promise<number> {
  const [{ value }] = await database.queries.select({ value: count() }).from(trainingSessions)
    .where(eq(trainingSessions.tenantId, tenantId));
  return value;
}

/** Changes a session that is in one of the states, in one go; nothing when it is gone or in another state. */
export async function changeTrainingSession(
  database: Database,
  id: string,
  from: readonly TrainingState[],
  change: Partial<Omit<TrainingSessionRow, "id" | "tenantId" | "createdAt" | "changedAt">>,
): Promise<TrainingSessionRow | undefined> {
  const [row] = await database.queries.update(trainingSessions).set({ ...change, changedAt: new Date() })
    .where(and(eq(trainingSessions.id, id), inArray(trainingSessions.state, [...from])))
    .returning();
  return row;
}

/** Sessions that run, as it seems, but for which there is no job. */
export function listStrayRuns({ queries }: Database): Promise<TrainingSessionRow[]> {
  const job = queries.select({ id: jobs.id }).from(jobs)
    .where(and(eq(jobs.subject, sql`${trainingSessions.id}::text`), inArray(jobs.state, ["queued", "running"])));
  return queries.select().from(trainingSessions)
    .where(and(eq(trainingSessions.state, "running"), notExists(job)))
    .orderBy(asc(trainingSessions.changedAt), asc(trainingSessions.id));
}

/** How far the runs of some sessions are, as their workers tell. */
export async function listLiveRuns(
  { queries }: Database,
  sessionIds: readonly string[],
): Promise<{ session: string; live: StoredLive }[]> {
  if (sessionIds.length === 0) return [];
  const rows = await queries.select({ session: jobs.subject, live: jobParts.live }).from(jobParts)
    .innerJoin(jobs, eq(jobs.id, jobParts.jobId))
    .where(and(inArray(jobs.subject, [...sessionIds]), eq(jobParts.state, "running"), isNotNull(jobParts.live)));
  return rows.map(({ session, live }) => ({ session: session!, live: live! }));
}

/** The objects that a session names, its batches included; a snapshot. */
export async function trainingObjects(database: Database, session: TrainingSessionRow): Promise<string[]> {
  const batches = await database.queries.select({ digest: trainingBatches.objectDigest }).from(trainingBatches)
    .where(eq(trainingBatches.sessionId, session.id));
  const { trainingKeysObject, publicKeyObject, orderObject, checkpointObject } = session;
  const own = [trainingKeysObject, publicKeyObject, orderObject, checkpointObject].filter((object) => object !== null);
  return [...new Set([...own, ...batches.map(({ digest }) => digest)])];
}

/** Deletes a session that is in one of the states, with its owners, their tokens and its batches; false when it was not. */
export async function deleteTrainingSession(
  database: Database,
  id: string,
  from: readonly TrainingState[],
): Promise<boolean> {
  const rows = await database.queries.delete(trainingSessions)
    .where(and(eq(trainingSessions.id, id), inArray(trainingSessions.state, [...from])))
    .returning({ id: trainingSessions.id });
  return rows.length === 1;
}
