import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { fairClocks, fairShares, jobParts, jobs } from "./schema.ts";

/** Any constant: names the lock under which jobs are counted and get their places. */
const PLACES_LOCK = 5_361_775;

/** Lets one transaction at a time count jobs and give places; ends with the transaction. */
export async function lockPlaces(database: Database): Promise<void> {
  await database.queries.execute(sql`select pg_advisory_xact_lock(${PLACES_LOCK})`);
}

/** Where a queue is, and where the last part of a tenant in it ends. */
export async function findPlaces(
  { queries }: Database,
  queue: string,
  tenantId: string,
): Promise<{ virtualSecond: number; finishTag: number }> {
  const [clock] = await queries.select().from(fairClocks).where(eq(fairClocks.queue, queue));
  const [share] = await queries.select().from(fairShares).where(ofTenant(queue, tenantId));
  return { virtualSecond: clock?.virtualSecond ?? 0, finishTag: share?.finishTag ?? 0 };
}

/** Notes where the last part of a tenant ends. */
export async function saveFinishTag(database: Database, queue: string, tenantId: string, finishTag: number) {
  await database.queries.insert(fairShares).values({ queue, tenantId, finishTag })
    .onConflictDoUpdate({ target: [fairShares.queue, fairShares.tenantId], set: { finishTag } });
}

/** Moves the clock of a queue to a start tag, never back. */
export async function advanceClock(database: Database, queue: string, startTag: number): Promise<void> {
  await database.queries.insert(fairClocks).values({ queue, virtualSecond: startTag }).onConflictDoUpdate({
    target: fairClocks.queue,
    set: { virtualSecond: sql`greatest(${fairClocks.virtualSecond}, ${startTag})` },
  });
}

/** Starts the clock of a queue at zero again when nothing of it waits or runs, so that tags stay small. */
export async function restartIdleClock({ queries }: Database, queue: string, kind: string, capability: string) {
  const [busy] = await queries.select({ id: jobs.id }).from(jobs).innerJoin(jobParts, eq(jobParts.jobId, jobs.id))
    .where(and(
      sql`${jobs.kind} = ${kind}`,
      eq(jobs.capability, capability),
      inArray(jobParts.state, ["queued", "running"]),
    )).limit(1);
  if (busy !== undefined) return;
  await queries.delete(fairShares).where(eq(fairShares.queue, queue));
  await queries.delete(fairClocks).where(eq(fairClocks.queue, queue));
}

function ofTenant(queue: string, tenantId: string) {
  return and(eq(fairShares.queue, queue), eq(fairShares.tenantId, tenantId));
}
