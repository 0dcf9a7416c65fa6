import { and, asc, count, desc, eq, inArray, isNotNull, lt, or, sql, sum } from "drizzle-orm";
import type { Database } from "./database.ts";
import { jobParts, jobs } from "./schema.ts";
import type { JobKind, JobState } from "./types.ts";

export type JobRow = typeof jobs.$inferSelect;
/** What may change of a job. */
export type JobChange = Partial<
  Pick<
    JobRow,
    | "state"
    | "capability"
    | "stopRequestedAt"
    | "stopReason"
    | "error"
    | "result"
    | "serverMs"
    | "startedAt"
    | "finishedAt"
    | "expiresAt"
  >
>;

const UNFINISHED: JobState[] = ["queued", "running"];

/** Adds a job. */
export async function insertJob(database: Database, row: JobRow): Promise<void> {
  await database.queries.insert(jobs).values(row);
}

/** A tenant's job. */
export async function findJob(database: Database, tenantId: string, id: string): Promise<JobRow | undefined> {
  const [row] = await database.queries.select().from(jobs).where(and(eq(jobs.tenantId, tenantId), eq(jobs.id, id)));
  return row;
}

/** The job that a request with this key has made. */
export async function findJobByKey(database: Database, tenantId: string, key: string): Promise<JobRow | undefined> {
  const [row] = await database.queries.select().from(jobs)
    .where(and(eq(jobs.tenantId, tenantId), eq(jobs.idempotencyKey, key)));
  return row;
}

/** A job for a change in the transaction around: nobody else changes it, or its parts, until then. */
export async function lockJob(database: Database, id: string): Promise<JobRow | undefined> {
  const [row] = await database.queries.select().from(jobs).where(eq(jobs.id, id)).for("update");
  return row;
}

/** Where a list of jobs goes on: after this job. */
export type JobCursor = Pick<JobRow, "createdAt" | "id">;

/** A tenant's jobs, newest first. */
export function listJobs(
  database: Database,
  tenantId: string,
  { limit, after }: { readonly limit: number; readonly after?: JobCursor },
): Promise<JobRow[]> {
  const older = after && or(
    lt(jobs.createdAt, after.createdAt),
    and(eq(jobs.createdAt, after.createdAt), lt(jobs.id, after.id)),
  );
  return database.queries.select().from(jobs).where(and(eq(jobs.tenantId, tenantId), older))
    .orderBy(desc(jobs.createdAt), desc(jobs.id)).limit(limit);
}

/** The unfinished job of a subject. */
export async function findUnfinishedJob(
  database: Database,
  kind: JobKind,
  subject: string,
): Promise<JobRow | undefined> {
  const [row] = await database.queries.select().from(jobs)
    .where(and(eq(jobs.kind, kind), eq(jobs.subject, subject), inArray(jobs.state, UNFINISHED)))
    .orderBy(asc(jobs.createdAt)).limit(1);
  return row;
}

/** Unfinished jobs, of one tenant or of all. */
export async function countUnfinishedJobs(database: Database, tenantId?: string): Promise<number> {
  const [{ value }] = await database.queries.select({ value: count() }).from(jobs).where(
    and(inArray(jobs.state, UNFINISHED), tenantId === undefined ? undefined : eq(jobs.tenantId, tenantId)),
  );
  return value;
}

/** Bytes that inputs and outputs of all jobs take or will take. */
export async function countJobBytes(database: Database): Promise<number> {
  const input = sql`case when ${jobParts.inputObject} is null then 0 else ${jobParts.inputBytes} end`;
  const output = sql`case when ${jobParts.state} = 'cancelled' then 0 else ${jobParts.outputBytes} end`;
  const [{ value }] = await database.queries.select({ value: sum(sql`${input} + ${output}`) }).from(jobParts);
  return Number(value ?? 0);
}

/** Changes a job. */
export async function changeJob(database: Database, id: string, change: JobChange): Promise<JobRow | undefined> {
  const [row] = await database.queries.update(jobs).set(change).where(eq(jobs.id, id)).returning();
  return row;
}

/** Unfinished jobs of a kind. */
export function listUnfinishedJobs(database: Database, kind: JobKind): Promise<JobRow[]> {
  return database.queries.select().from(jobs).where(and(eq(jobs.kind, kind), inArray(jobs.state, UNFINISHED)));
}

/** Jobs whose time has run out. */
export function listExpiredJobs(database: Database, now: Date, limit: number): Promise<JobRow[]> {
  return database.queries.select().from(jobs).where(and(isNotNull(jobs.expiresAt), lt(jobs.expiresAt, now)))
    .limit(limit);
}

/** Deletes a job with its parts; the objects that those named. */
export async function deleteJob(database: Database, id: string): Promise<string[]> {
  const parts = await database.queries.select({ input: jobParts.inputObject, output: jobParts.outputObject })
    .from(jobParts).where(eq(jobParts.jobId, id));
  await database.queries.delete(jobs).where(eq(jobs.id, id));
  return parts.flatMap(({ input, output }) => [input, output]).filter((object) => object !== null);
}
