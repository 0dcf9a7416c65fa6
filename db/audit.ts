import { and, asc, desc, eq, gt, gte, lt } from "drizzle-orm";
import type { Database } from "./database.ts";
import { audit } from "./schema.ts";

/** One thing that was asked for. */
export type AuditRow = typeof audit.$inferSelect;
/** A row that has no number yet. */
export type NewAuditRow = Omit<AuditRow, "id">;

/** Which rows. */
export interface AuditFilter {
  /** Id of a tenant; all tenants when absent. */
  readonly tenantId?: string;
  /** From then on. */
  readonly since?: Date;
  /** Before then. */
  readonly until?: Date;
}

const PAGE = 1000;

/** Appends rows. */
export async function insertAudit(database: Database, rows: readonly NewAuditRow[]): Promise<void> {
  if (rows.length > 0) await database.queries.insert(audit).values([...rows]);
}

/** One page, newest first; `before`: only rows with a smaller number. */
export function listAudit(
  database: Database,
  filter: AuditFilter,
  { limit, before }: { limit: number; before?: number },
): Promise<AuditRow[]> {
  const below = before === undefined ? undefined : lt(audit.id, before);
  return database.queries.select().from(audit).where(and(matching(filter), below)).orderBy(desc(audit.id)).limit(limit);
}

/** All rows, oldest first, read page by page. */
export async function* exportAudit(database: Database, filter: AuditFilter): AsyncGenerator<AuditRow> {
  for (let last = 0;;) {
    const rows = await database.queries.select().from(audit)
      .where(and(matching(filter), gt(audit.id, last)))
      .orderBy(asc(audit.id))
      .limit(PAGE);
    yield* rows;
    if (rows.length < PAGE) return;
    last = rows[rows.length - 1].id;
  }
}

/** Removes rows from before `instant`. */
export async function removeAudit(database: Database, before: Date): Promise<void> {
  await database.queries.delete(audit).where(lt(audit.at, before));
}

function matching({ tenantId, since, until }: AuditFilter) {
  return and(
    tenantId === undefined ? undefined : eq(audit.tenantId, tenantId),
    since === undefined ? undefined : gte(audit.at, since),
    until === undefined ? undefined : lt(audit.at, until),
  );
}
