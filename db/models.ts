import { and, asc, eq, or } from "drizzle-orm";
import type { Database } from "./database.ts";
import { ownedLookup } from "./owned_lookup.ts";
import { models } from "./schema.ts";

export type ModelRow = typeof models.$inferSelect;
/** A model as lists show it. */
export type ModelSummary = Pick<ModelRow, "id" | "name" | "createdAt" | "source">;

/** Adds the row, unless the tenant has that model already: then the old row comes back and `created` is false. */
export async function insertModel(database: Database, row: ModelRow): Promise<{ row: ModelRow; created: boolean }> {
  const [inserted] = await database.queries.insert(models).values(row).onConflictDoNothing().returning();
  if (inserted !== undefined) return { row: inserted, created: true };
  const kept = await findModel(database, row.tenantId, row.id);
  return kept === undefined ? insertModel(database, row) : { row: kept, created: false };
}

const lookUp = ownedLookup<ModelRow>(async ({ queries }, wanted) => {
  const rows = await queries.select().from(models).where(or(...wanted.map(({ tenantId, id }) => owned(tenantId, id))));
  return rows.map((row) => [row, row]);
});

/** A tenant's model; those who ask at the same time share queries and what they find. */
export function findModel(database: Database, tenantId: string, id: string): Promise<ModelRow | undefined> {
  return lookUp(database, { tenantId, id });
}

/** A tenant's models without their descriptions, oldest first. */
export function listModels(database: Database, tenantId: string): Promise<ModelSummary[]> {
  return database.queries
    .select({ id: models.id, name: models.name, createdAt: models.createdAt, source: models.source })
    .from(models)
    .where(eq(models.tenantId, tenantId))
    .orderBy(asc(models.createdAt), asc(models.id));
}

/** The deleted row, or nothing when the tenant has no such model. */
export async function deleteModel(database: Database, tenantId: string, id: string): Promise<ModelRow | undefined> {
  const [row] = await database.queries.delete(models).where(owned(tenantId, id)).returning();
  return row;
}

function owned(tenantId: string, id: string) {
  return and(eq(models.tenantId, tenantId), eq(models.id, id));
}
