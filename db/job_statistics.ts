import { and, count, eq, gt, inArray, min } from "drizzle-orm";
import type { Database } from "./database.ts";
import { jobParts, jobs, workers } from "./schema.ts";
import type { JobKind, JobState, PartState } from "./types.ts";

/** How many parts of jobs a queue has in a state, and since when the oldest of them is there. */
export interface QueueStatistics {
  readonly capability: string;
  readonly kind: JobKind;
  readonly state: PartState;
  readonly parts: number;
  /** When its job was made. */
  readonly oldest: Date;
}

/** The queues over all servers and workers, by what a worker must have and the kind of the job. */
export async function queueStatistics(database: Database): Promise<QueueStatistics[]> {
  const rows = await database.queries
    .select({
      capability: jobs.capability,
      kind: jobs.kind,
      state: jobParts.state,
      parts: count(),
      oldest: min(jobs.createdAt),
    })
    .from(jobParts).innerJoin(jobs, eq(jobs.id, jobParts.jobId))
    .where(inArray(jobParts.state, ["queued", "running"]))
    .groupBy(jobs.capability, jobs.kind, jobParts.state);
  return rows.map(({ oldest, ...row }) => ({ ...row, oldest: oldest! }));
}

/** Jobs that the database remembers, by kind and state. */
export function jobStatistics(database: Database): Promise<{ kind: JobKind; state: JobState; jobs: number }[]> {
  return database.queries.select({ kind: jobs.kind, state: jobs.state, jobs: count() }).from(jobs)
    .groupBy(jobs.kind, jobs.state);
}

/** Workers that were seen since. */
export async function workerStatistics(
  database: Database,
  seenSince: Date,
): Promise<{ workers: number; threads: number }> {
  const rows = await database.queries.select({ threads: workers.threads }).from(workers)
    .where(and(gt(workers.seenAt, seenSince)));
  return { workers: rows.length, threads: rows.reduce((sum, { threads }) => sum + threads, 0) };
}
