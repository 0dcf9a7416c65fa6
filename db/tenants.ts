import { eq } from "drizzle-orm";
import { SottoError } from "../errors.ts";
import type { Database } from "./database.ts";
import { tenants } from "./schema.ts";

export type Tenant = typeof tenants.$inferSelect;

/** Makes a tenant. Throws `conflict` when the name is taken. */
export async function createTenant(database: Database, name: string): Promise<Tenant> {
  checkName(name);
  const [tenant] = await database.queries.insert(tenants)
    .values({ id: crypto.randomUUID(), name, createdAt: new Date() })
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
  const [tenant] = await database.queries.select().from(tenants).where(eq(tenants.name, name));
  return tenant;
}

/** All tenants, oldest first. */
export function listTenants(database: Database): Promise<Tenant[]> {
  return database.queries.select().from(tenants).orderBy(tenants.createdAt);
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/.test(name)) return;
  const rule = "1 to 100 letters, digits, spaces, dots, dashes or underscores, starting with a letter or digit";
  throw new SottoError("malformed_request", `a tenant's name is ${rule}: choose another name`);
}
