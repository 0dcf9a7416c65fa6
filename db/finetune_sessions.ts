import { and, asc, count, eq, lte, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { fineTuningSessions } from "./schema.ts";

export type FineTuningSessionRow = typeof fineTuningSessions.$inferSelect;

/** Adds a session. */
export async function insertFineTuningSession(database: Database, row: FineTuningSessionRow): Promise<void> {
  await database.queries.insert(fineTuningSessions).values(row);
}

/** A tenant's session. */
export async function findFineTuningSession(
  database: Database,
  tenantId: string,
  id: string,
): Promise<FineTuningSessionRow | undefined> {
  const [row] = await database.queries.select().from(fineTuningSessions).where(owned(tenantId, id));
  return row;
}

/** A tenant's sessions, oldest first. */
export function listFineTuningSessions(database: Database, tenantId: string): Promise<FineTuningSessionRow[]> {
  return database.queries.select().from(fineTuningSessions).where(eq(fineTuningSessions.tenantId, tenantId))
    .orderBy(asc(fineTuningSessions.createdAt), asc(fineTuningSessions.id));
}

/** How many sessions a tenant has. */
export async function countFineTuningSessions(database: Database, tenantId: string): Promise<number> {
  const [{ value }] = await database.queries.select({ value: count() }).from(fineTuningSessions)
    .where(eq(fineTuningSessions.tenantId, tenantId));
  return value;
}

/** Counts bytes against the session's quota, in one go; false when they are more than what is left, or the session is gone. */
export async function chargeFineTuningSession(database: Database, id: string, bytes: number): Promise<boolean> {
  const { bytesUsed, bytesMax, requests } = fineTuningSessions;
  const rows = await database.queries.update(fineTuningSessions)
    .set({ bytesUsed: sql`${bytesUsed} + ${bytes}`, requests: sql`${requests} + 1` })
    .where(and(eq(fineTuningSessions.id, id), lte(sql`${bytesUsed} + ${bytes}`, bytesMax)))
    .returning({ id: fineTuningSessions.id });
  return rows.length === 1;
}

/** False when the tenant has no such session. */
export async function deleteFineTuningSession(database: Database, tenantId: string, id: string): Promise<boolean> {
  const rows = await database.queries.delete(fineTuningSessions).where(owned(tenantId, id))
    .returning({ id: fineTuningSessions.id });
  return rows.length === 1;
}

function owned(tenantId: string, id: string) {
  return and(eq(fineTuningSessions.tenantId, tenantId), eq(fineTuningSessions.id, id));
}
