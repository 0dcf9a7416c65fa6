import { and, asc, count, eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { baseModels, fineTuningSessions } from "./schema.ts";

export type BaseModelRow = typeof baseModels.$inferSelect;

/** Adds the row, unless the tenant has that model already: then the old row comes back and `created` is false. */
export async function insertBaseModel(
  database: Database,
  row: BaseModelRow,
): Promise<{ row: BaseModelRow; created: boolean }> {
  const [inserted] = await database.queries.insert(baseModels).values(row).onConflictDoNothing().returning();
  if (inserted !== undefined) return { row: inserted, created: true };
  const kept = await findBaseModel(database, row.tenantId, row.id);
  return kept === undefined ? insertBaseModel(database, row) : { row: kept, created: false };
}

/** A tenant's base model. */
export async function findBaseModel(
  database: Database,
  tenantId: string,
  id: string,
): Promise<BaseModelRow | undefined> {
  const [row] = await database.queries.select().from(baseModels).where(owned(tenantId, id));
  return row;
}

/** A tenant's base models, oldest first. */
export function listBaseModels(database: Database, tenantId: string): Promise<BaseModelRow[]> {
  return database.queries.select().from(baseModels).where(eq(baseModels.tenantId, tenantId))
    .orderBy(asc(baseModels.createdAt), asc(baseModels.id));
}

/** The deleted row, or nothing when the tenant has no such model. */
export async function deleteBaseModel(
  database: Database,
  tenantId: string,
  id: string,
): Promise<BaseModelRow | undefined> {
  const [row] = await database.queries.delete(baseModels).where(owned(tenantId, id)).returning();
  return row;
}

/** Sessions of a tenant that work with a base model. */
export async function countBaseModelSessions(database: Database, tenantId: string, id: string): Promise<number> {
  const [{ value }] = await database.queries.select({ value: count() }).from(fineTuningSessions)
    .where(and(eq(fineTuningSessions.tenantId, tenantId), eq(fineTuningSessions.baseModelId, id)));
  return value;
}

function owned(tenantId: string, id: string) {
  return and(eq(baseModels.tenantId, tenantId), eq(baseModels.id, id));
}
