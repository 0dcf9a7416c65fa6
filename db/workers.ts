import { and, arrayContains, count, eq, gt, lt } from "drizzle-orm";
import type { Database } from "./database.ts";
import { workers } from "./schema.ts";

export type WorkerRow = typeof workers.$inferSelect;

/** Adds a worker, or notes that it lives. */
export async function saveWorker(database: Database, row: WorkerRow): Promise<void> {
  await database.queries.insert(workers).values(row)
    .onConflictDoUpdate({ target: workers.id, set: { seenAt: row.seenAt } });
}

/** Removes a worker. */
export async function deleteWorker(database: Database, id: string): Promise<void> {
  await database.queries.delete(workers).where(eq(workers.id, id));
}

/** Removes the workers that were not seen since. */
export async function deleteLostWorkers(database: Database, seenBefore: Date): Promise<void> {
  await database.queries.delete(workers).where(lt(workers.seenAt, seenBefore));
}

/** How many workers of a capability were seen since. */
export async function countWorkers(database: Database, capability: string, seenSince: Date): Promise<number> {
  const [{ value }] = await database.queries.select({ value: count() }).from(workers)
    .where(and(gt(workers.seenAt, seenSince), arrayContains(workers.capabilities, [capability])));
  return value;
}
