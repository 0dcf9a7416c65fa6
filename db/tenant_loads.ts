import { and, eq, gt, inArray, lt, ne, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { tenantLoads } from "./schema.ts";

/** Requests of a tenant inside of a server: all of them, and those in the queue of predictions. */
export interface TenantLoad {
  readonly requests: number;
  readonly queued: number;
}

/** Says what is inside of a server now; a tenant that has nothing inside is told once. */
export async function reportTenantLoads(
  database: Database,
  serverId: string,
  loads: ReadonlyMap<string, TenantLoad>,
  now: Date,
): Promise<void> {
  if (loads.size === 0) return;
  const rows = loads.entries().map(([tenantId, load]) => ({ serverId, tenantId, ...load, seenAt: now })).toArray();
  await database.queries.insert(tenantLoads).values(rows).onConflictDoUpdate({
    target: [tenantLoads.serverId, tenantLoads.tenantId],
    set: {
      requests: sql`excluded.requests`,
      queued: sql`excluded.queued`,
      seenAt: sql`excluded.seen_at`,
    },
  });
}

/** What the tenants have inside of all other servers that reported after `since`. */
export async function readTenantLoads(
  database: Database,
  serverId: string,
  tenants: readonly string[],
  since: Date,
): Promise<Map<string, TenantLoad>> {
  if (tenants.length === 0) return new Map();
  const rows = await database.queries.select({
    tenantId: tenantLoads.tenantId,
    requests: sql<number>`sum(${tenantLoads.requests})`.mapWith(Number),
    queued: sql<number>`sum(${tenantLoads.queued})`.mapWith(Number),
  }).from(tenantLoads)
    .where(
      and(
        inArray(tenantLoads.tenantId, [...tenants]),
        ne(tenantLoads.serverId, serverId),
        gt(tenantLoads.seenAt, since),
      ),
    )
    .groupBy(tenantLoads.tenantId);
  return new Map(rows.map(({ tenantId, ...load }) => [tenantId, load]));
}

/** Forgets a server that ends. */
export async function forgetTenantLoads(database: Database, serverId: string): Promise<void> {
  await database.queries.delete(tenantLoads).where(eq(tenantLoads.serverId, serverId));
}

/** Removes rows of servers that were killed. */
export async function removeTenantLoads(database: Database, before: Date): Promise<void> {
  await database.queries.delete(tenantLoads).where(lt(tenantLoads.seenAt, before));
}
