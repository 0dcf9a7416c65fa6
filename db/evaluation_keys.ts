import { and, asc, desc, eq, gt, or } from "drizzle-orm";
import type { Database } from "./database.ts";
import { ownedLookup } from "./owned_lookup.ts";
import { evaluationKeys } from "./schema.ts";
import type { Capability } from "./types.ts";

export type EvaluationKeysRow = typeof evaluationKeys.$inferSelect;

/** Adds the row, unless the tenant has that file already: then the old row comes back and `created` is false. */
export async function insertEvaluationKeys(
  database: Database,
  row: EvaluationKeysRow,
): Promise<{ row: EvaluationKeysRow; created: boolean }> {
  const [inserted] = await database.queries.insert(evaluationKeys).values(row).onConflictDoNothing().returning();
  if (inserted !== undefined) return { row: inserted, created: true };
  const kept = await findEvaluationKeys(database, row.tenantId, row.digest);
  return kept === undefined ? insertEvaluationKeys(database, row) : { row: kept, created: false };
}

const lookUp = ownedLookup<EvaluationKeysRow>(async ({ queries }, wanted) => {
  const rows = await queries.select().from(evaluationKeys)
    .where(or(...wanted.map(({ tenantId, id }) => owned(tenantId, id))));
  return rows.map((row) => [{ tenantId: row.tenantId, id: row.digest }, row]);
});

/** A tenant's keys by the digest of their file; those who ask at the same time share queries and what they find. */
export function findEvaluationKeys(
  database: Database,
  tenantId: string,
  digest: string,
): Promise<EvaluationKeysRow | undefined> {
  return lookUp(database, { tenantId, id: digest });
}

/** The newest key file of a tenant's key pair that has the capability and has not expired at `now`. */
export async function findCapability(
  database: Database,
  owner: { readonly tenantId: string; readonly keyId: string },
  capability: Capability,
  now = new Date(),
): Promise<EvaluationKeysRow | undefined> {
  const { tenantId, keyId } = evaluationKeys;
  const [row] = await database.queries.select().from(evaluationKeys)
    .where(and(
      eq(tenantId, owner.tenantId),
      eq(keyId, owner.keyId),
      eq(evaluationKeys.capability, capability),
      gt(evaluationKeys.expiresAt, now),
    ))
    .orderBy(desc(evaluationKeys.createdAt), desc(evaluationKeys.digest))
    .limit(1);
  return row;
}

/** A tenant's keys, oldest first. */
export function listEvaluationKeys(database: Database, tenantId: string): Promise<EvaluationKeysRow[]> {
  return database.queries.select().from(evaluationKeys)
    .where(eq(evaluationKeys.tenantId, tenantId))
    .orderBy(asc(evaluationKeys.createdAt), asc(evaluationKeys.digest));
}

/** Moves the time of expiry of a tenant's keys. */
export async function renewEvaluationKeys(
  database: Database,
  tenantId: string,
  digest: string,
  expiresAt: Date,
): Promise<EvaluationKeysRow | undefined> {
  const [row] = await database.queries.update(evaluationKeys).set({ expiresAt }).where(owned(tenantId, digest))
    .returning();
  return row;
}

/** The deleted row, or nothing when the tenant has no such keys. */
export async function deleteEvaluationKeys(
  database: Database,
  tenantId: string,
  digest: string,
): Promise<EvaluationKeysRow | undefined> {
  const [row] = await database.queries.delete(evaluationKeys).where(owned(tenantId, digest)).returning();
  return row;
}

function owned(tenantId: string, digest: string) {
  return and(eq(evaluationKeys.tenantId, tenantId), eq(evaluationKeys.digest, digest));
}
