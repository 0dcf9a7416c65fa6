import { and, asc, count, eq, inArray, lt, max, sql, sum } from "drizzle-orm";
import type { Database } from "./database.ts";
import { jobParts, jobs } from "./schema.ts";
import type { PartState } from "./types.ts";

export type JobPartRow = typeof jobParts.$inferSelect;
/** What may change of a part. */
export type JobPartChange = Partial<Omit<JobPartRow, "jobId" | "number" | "changedAt">>;
/** One attempt at a part. */
export interface PartLease {
  readonly jobId: string;
  readonly number: number;
  readonly lease: string;
}

/** How far the parts of a job are. */
export interface JobProgress {
  readonly parts: number;
  readonly done: number;
  /** Share of the rows done, between 0 and 1. */
  readonly progress: number;
  /** Planned seconds of what is not done yet. */
  readonly secondsLeft: number;
  readonly attempts: number;
  readonly runningParts: number;
}

/** How many parts of a job are in each state. */
export async function countPartStates(database: Database, jobId: string): Promise<Record<PartState, number>> {
  const rows = await database.queries.select({ state: jobParts.state, value: count() })
    .from(jobParts).where(eq(jobParts.jobId, jobId)).groupBy(jobParts.state);
  const none = { queued: 0, running: 0, done: 0, cancelled: 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ state, value }) => [state, value])) };
}

/** Time of the back end for all parts of a job. */
export async function sumServerMs(database: Database, jobId: string): Promise<number> {
  const [{ value }] = await database.queries.select({ value: sum(jobParts.serverMs) }).from(jobParts)
    .where(eq(jobParts.jobId, jobId));
  return Number(value ?? 0);
}

/** Cancels the parts of a job that are in some states. */
export async function cancelJobParts(database: Database, jobId: string, from: readonly PartState[]): Promise<void> {
  await database.queries.update(jobParts).set({ state: "cancelled", lease: null, changedAt: new Date() })
    .where(and(eq(jobParts.jobId, jobId), inArray(jobParts.state, [...from])));
}

/** Cancels the parts of a job that run, as it seems, but were not heard of since. */
export async function cancelLostParts(database: Database, jobId: string, heardBefore: Date): Promise<void> {
  await database.queries.update(jobParts).set({ state: "cancelled", lease: null, changedAt: new Date() })
    .where(and(eq(jobParts.jobId, jobId), eq(jobParts.state, "running"), lt(jobParts.changedAt, heardBefore)));
}

/** Lets go of the inputs of a job, and of its outputs when they are not wanted either; the objects that were named. */
export async function dropJobObjects(database: Database, jobId: string, outputsToo: boolean): Promise<string[]> {
  const parts = await listJobParts(database, jobId);
  await database.queries.update(jobParts).set({ inputObject: null, ...(outputsToo ? { outputObject: null } : {}) })
    .where(eq(jobParts.jobId, jobId));
  const objects = parts.flatMap(({ inputObject, outputObject }) => [inputObject, outputsToo ? outputObject : null]);
  return objects.filter((object) => object !== null);
}

/** Holds a lease until the end of the transaction around; false when it is lost. */
export async function lockLease({ queries }: Database, lease: PartLease): Promise<boolean> {
  const rows = await queries.select({ number: jobParts.number }).from(jobParts).where(leased(lease)).for("update");
  return rows.length === 1;
}

/** Adds parts, a few hundred at a time. */
export async function insertJobParts(database: Database, rows: readonly JobPartRow[]): Promise<void> {
  for (let first = 0; first < rows.length; first += 500) {
    await database.queries.insert(jobParts).values(rows.slice(first, first + 500));
  }
}

/** A part. */
export async function findJobPart(database: Database, jobId: string, number: number): Promise<JobPartRow | undefined> {
  const [row] = await database.queries.select().from(jobParts).where(place(jobId, number));
  return row;
}

/** The parts of a job in their order, of some states or of all. */
export function listJobParts(database: Database, jobId: string, states?: readonly PartState[]): Promise<JobPartRow[]> {
  return database.queries.select().from(jobParts).where(
    and(eq(jobParts.jobId, jobId), states && inArray(jobParts.state, [...states])),
  ).orderBy(asc(jobParts.number));
}

/** Changes a part, whoever computes it. */
export async function changeJobPart(
  database: Database,
  { jobId, number }: Pick<JobPartRow, "jobId" | "number">,
  change: JobPartChange,
): Promise<void> {
  await database.queries.update(jobParts).set({ ...change, changedAt: new Date() }).where(place(jobId, number));
}

/** Changes a part while the lease is its own; false when another attempt took it, or it ended. */
export async function changeLeasedPart(database: Database, lease: PartLease, change: JobPartChange): Promise<boolean> {
  const rows = await database.queries.update(jobParts).set({ ...change, changedAt: new Date() })
    .where(leased(lease)).returning({ number: jobParts.number });
  return rows.length === 1;
}

/** Notes how far an attempt is. Returns since when its job is to stop (null: it is not), or nothing when the lease is lost. */
export async function reportProgress(
  database: Database,
  lease: PartLease,
  change: Pick<JobPartRow, "progress" | "live">,
): Promise<{ stopRequestedAt: Date | null; stopReason: string | null } | undefined> {
  const job = (column: "stop_requested_at" | "stop_reason") =>
    sql<string | null>`(select ${sql.identifier(column)} from jobs where id = ${jobParts.jobId})`;
  const [row] = await database.queries.update(jobParts).set({ ...change, changedAt: new Date() }).where(leased(lease))
    .returning({ at: job("stop_requested_at"), reason: job("stop_reason") });
  if (row === undefined) return undefined;
  return { stopRequestedAt: row.at === null ? null : new Date(row.at), stopReason: row.reason };
}

/** How far some jobs are. */
export async function jobProgress(database: Database, jobIds: readonly string[]): Promise<Map<string, JobProgress>> {
  if (jobIds.length === 0) return new Map();
  const share = sql`case when ${jobParts.state} = 'done' then 1 else ${jobParts.progress} end`;
  const weight = sql`greatest(${jobParts.rows}, 1)`;
  const rows = await database.queries.select({
    jobId: jobParts.jobId,
    parts: count(),
    done: sql<number>`count(*) filter (where ${jobParts.state} = 'done')`,
    running: sql<number>`count(*) filter (where ${jobParts.state} = 'running')`,
    weighed: sum(sql`${weight} * ${share}`),
    weight: sum(weight),
    left: sum(sql`${jobParts.plannedSeconds} * (1 - ${share})`),
    attempts: max(jobParts.attempts),
  }).from(jobParts).where(inArray(jobParts.jobId, [...jobIds])).groupBy(jobParts.jobId);
  return new Map(rows.map((row) => [row.jobId, {
    parts: row.parts,
    done: Number(row.done),
    progress: Math.min(1, Number(row.weighed) / Number(row.weight)),
    secondsLeft: Number(row.left),
    attempts: Number(row.attempts),
    runningParts: Number(row.running),
  }]));
}

/** Seconds, by pace or by plan, of the parts of other jobs that are to start before the job's next one, in its queue. */
export async function secondsBefore(database: Database, jobId: string): Promise<number> {
  const answer = await database.queries.execute(sql`
    with next as (
      select min(p.start_tag) as tag, min(j.kind) as kind, min(j.capability) as capability
      from job_parts p join jobs j on j.id = p.job_id where p.job_id = ${jobId} and p.state = 'queued'
    )
    select coalesce(sum((1 - p.progress) * case
      when p.state = 'running' and p.progress >= 0.02 and p.started_at is not null
      then extract(epoch from now() - p.started_at) / p.progress else p.planned_seconds end), 0)::float8 as seconds
    from next, job_parts p join jobs j on j.id = p.job_id
    where p.job_id <> ${jobId} and p.state in ('queued', 'running') and p.start_tag <= next.tag
      and j.kind = next.kind and j.capability = next.capability`) as unknown;
  const [row] = (Array.isArray(answer) ? answer : (answer as { rows: unknown[] }).rows) as { seconds: number }[];
  return Number(row.seconds);
}

/** Parts that a process of the embedded database left behind when it ended. */
export function listRunningParts(database: Database): Promise<{ part: JobPartRow; job: typeof jobs.$inferSelect }[]> {
  return database.queries.select({ part: jobParts, job: jobs }).from(jobParts)
    .innerJoin(jobs, eq(jobs.id, jobParts.jobId)).where(eq(jobParts.state, "running"));
}

/** Unfinished parts that no living message of the queue names, unchanged since; all of them, or the part itself if it is one. */
export function listStrandedParts(
  database: Database,
  changedBefore: Date,
  only?: Pick<JobPartRow, "jobId" | "number">,
): Promise<{ part: JobPartRow; job: typeof jobs.$inferSelect }[]> {
  const living = sql`select 1 from pgboss.job m where m.id = ${jobParts.message}
    and m.state in ('created', 'retry', 'active', 'failed')`;
  return database.queries.select({ part: jobParts, job: jobs }).from(jobParts)
    .innerJoin(jobs, eq(jobs.id, jobParts.jobId)).where(and(
      inArray(jobParts.state, ["queued", "running"]),
      lt(jobParts.changedAt, changedBefore),
      only && place(only.jobId, only.number),
      sql`not exists (${living})`,
    )).limit(100);
}

function place(jobId: string, number: number) {
  return and(eq(jobParts.jobId, jobId), eq(jobParts.number, number));
}

function leased({ jobId, number, lease }: PartLease) {
  return and(place(jobId, number), eq(jobParts.lease, lease), eq(jobParts.state, "running"));
}
