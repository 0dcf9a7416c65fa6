import { asc, eq } from "drizzle-orm";
import { SottoError } from "../errors.ts";
import type { Database } from "./database.ts";
import { tenants } from "./schema.ts";

export type Tenant = typeof tenants.$inferSelect;

/** Limits of one tenant instead of the server's; null takes the server's again. */
export type TenantLimits = Pick<
  Tenant,
  "requestsPerMinute" | "uploadBytesPerMinute" | "concurrentRequests" | "queuedRequests" | "bytesMax"
>;

/** Makes a tenant. Throws `conflict` when the name is taken. */
export async function createTenant(
  database: Database,
  name: string,
  limits: Partial<TenantLimits> = {},
): Promise<Tenant> {
  checkName(name);
  const [tenant] = await database.queries.insert(tenants)
    .values({ ...limits, id: crypto.randomUUID(), name, createdAt: new Date() })
    .onConflictDoNothing()
    .returning();
  if (tenant === undefined) throw new SottoError("conflict", `the tenant ${name} exists already: choose another name`);
  return tenant;
}

/** The tenant of that name, made when there is none. */
export async function findOrCreateTenant(database: Database, name: string): Promise<Tenant> {
  checkName(name);
  await database.queries.insert(tenants)
    .values({ id: crypto.randomUUID(), name, createdAt: new Date() })
    .onConflictDoNothing();
  return await findTenant(database, name);
}

/** The tenant of that name. Throws `tenant_unknown`. */
export async function findTenant(database: Database, name: string): Promise<Tenant> {
  const [tenant] = await database.queries.select().from(tenants).where(eq(tenants.name, name));
  if (tenant === undefined) throw unknownTenant(name);
  return tenant;
}

/** All tenants, oldest first. */
export function listTenants(database: Database): Promise<Tenant[]> {
  return database.queries.select().from(tenants).orderBy(asc(tenants.createdAt), asc(tenants.name));
}

/** Changes limits, or from when on the tenant's tokens are refused. Throws `tenant_unknown`. */
export async function changeTenant(
  database: Database,
  name: string,
  change: Partial<TenantLimits & Pick<Tenant, "disabledAt">>,
): Promise<Tenant> {
  if (Object.keys(change).length === 0) return await findTenant(database, name);
  const [tenant] = await database.queries.update(tenants).set(change).where(eq(tenants.name, name)).returning();
  if (tenant === undefined) throw unknownTenant(name);
  return tenant;
}

/**
 * Removes a tenant that is disabled, and with it its tokens, keys, models, jobs and sessions; their objects are named by nothing then, and
 * are collected. What it did stays in the audit log. Throws `tenant_unknown`, or `conflict` when the tenant is not disabled.
 */
export async function deleteTenant(database: Database, name: string): Promise<Tenant> {
  const tenant = await findTenant(database, name);
  if (tenant.disabledAt === null) {
    throw new SottoError("conflict", `the tenant ${name} is not disabled: disable it first`);
  }
  await database.queries.delete(tenants).where(eq(tenants.id, tenant.id));
  return tenant;
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/.test(name)) return;
  const rule = "1 to 100 letters, digits, spaces, dots, dashes or underscores, starting with a letter or digit";
  throw new SottoError("malformed_request", `a tenant's name is ${rule}: choose another name`);
}

function unknownTenant(name: string): SottoError {
  return new SottoError("tenant_unknown", `there is no tenant ${name}: list them with \`sotto tenants list\``);
}
