import { and, count, eq, lt, sql, sum } from "drizzle-orm";
import { SottoError } from "../errors.ts";
import type { Database } from "./database.ts";
import { isObjectNeeded, listCountedInVain } from "./object_references.ts";
import { objectHolds, storedObjects, tenants } from "./schema.ts";
import { inTransaction } from "./transaction.ts";

/** How long a row may take to follow its object; only a process that died, or a job whose rows arrive slowly, takes more than seconds. */
const HOLD_HOURS = 24;

/** An object that a tenant is about to name. */
export interface NewObject {
  readonly tenantId: string;
  readonly digest: string;
  readonly bytes: number;
}

/** What a tenant stores and may store. */
export interface StorageUse {
  readonly bytes: number;
  readonly objects: number;
  readonly bytesMax: number;
}

/**
 * Counts an object for its tenant and keeps everybody from removing it until `endHold` or for a day; to be called before the object is
 * made visible. Objects that the tenant has already cost nothing. Returns the hold.
 * @param standardMax bytes that a tenant may store which has no limit of its own; absent: the object is taken whatever the tenant stores
 * Throws `quota_exceeded`.
 */
export function holdObject(database: Database, object: NewObject, standardMax?: number): Promise<string> {
  const { tenantId, digest, bytes } = object;
  return inTransaction(database, async (inside) => {
    await lockObject(inside, digest);
    await inside.queries.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for("no key update");
    const added = await inside.queries.insert(storedObjects).values({ tenantId, digest, bytes }).onConflictDoNothing()
      .returning({ digest: storedObjects.digest });
    if (added.length > 0 && standardMax !== undefined) await requireRoom(inside, tenantId, bytes, standardMax);
    const [hold] = await inside.queries.insert(objectHolds)
      .values({
        id: crypto.randomUUID(),
        tenantId,
        digest,
        expiresAt: sql`now() + make_interval(hours => ${HOLD_HOURS})`,
      })
      .returning({ id: objectHolds.id });
    return hold.id;
  });
}

/** The row is there, or will not come. */
export async function endHold({ queries }: Database, hold: string): Promise<void> {
  await queries.delete(objectHolds).where(eq(objectHolds.id, hold));
}

/**
 * Stops counting an object for tenants that do not need it any more, and calls `remove` when nobody needs it. Nobody can begin to need it
 * meanwhile: `holdObject` waits. `remove` must not use the database. Returns whether it was called.
 */
export function releaseObjectRow(database: Database, digest: string, remove: () => Promise<void>): Promise<boolean> {
  return inTransaction(database, async (inside) => {
    await lockObject(inside, digest);
    await stopCounting(inside, digest);
    if (await isObjectNeeded(inside, digest)) return false;
    await remove();
    return true;
  });
}

async function stopCounting(database: Database, digest: string): Promise<void> {
  const counted = await database.queries.select().from(storedObjects).where(eq(storedObjects.digest, digest));
  for (const { tenantId } of counted) {
    if (await isObjectNeeded(database, digest, tenantId)) continue;
    const row = and(eq(storedObjects.tenantId, tenantId), eq(storedObjects.digest, digest));
    await database.queries.delete(storedObjects).where(row);
  }
}

/** One transaction at a time for an object; ends with the transaction. */
async function lockObject({ queries }: Database, digest: string): Promise<void> {
  await queries.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`object ${digest}`}, 0))`);
}

async function requireRoom(database: Database, tenantId: string, bytes: number, standardMax: number): Promise<void> {
  const use = await storageUse(database, tenantId, standardMax);
  if (use.bytes > use.bytesMax) throw storageFull({ ...use, bytes: use.bytes - bytes });
}

/** The error of bytes that do not fit. */
export function storageFull({ bytes, bytesMax }: StorageUse): SottoError {
  const message =
    `you store ${bytes} bytes and may store ${bytesMax}: delete keys, models or sessions, or ask for more`;
  return new SottoError("quota_exceeded", message);
}

/** Of one tenant. `standardMax` as in `holdObject`. */
export async function storageUse({ queries }: Database, tenantId: string, standardMax: number): Promise<StorageUse> {
  const [stored] = await queries.select({ bytes: sum(storedObjects.bytes).mapWith(Number), objects: count() })
    .from(storedObjects).where(eq(storedObjects.tenantId, tenantId));
  const [tenant] = await queries.select({ max: tenants.bytesMax }).from(tenants).where(eq(tenants.id, tenantId));
  return { bytes: stored.bytes ?? 0, objects: stored.objects, bytesMax: tenant?.max ?? standardMax };
}

/** Forgets holds that have run out, and stops counting objects whose rows went without a release: after crashes, and when a tenant is deleted. */
export async function tidyStoredObjects(database: Database): Promise<void> {
  await database.queries.delete(objectHolds).where(lt(objectHolds.expiresAt, sql`now()`));
  for (const digest of await listCountedInVain(database)) {
    await inTransaction(database, async (inside) => {
      await lockObject(inside, digest);
      await stopCounting(inside, digest);
    });
  }
}

/** Counts objects that rows named before objects were counted. */
export async function countObjects(database: Database, objects: readonly NewObject[]): Promise<void> {
  for (const object of objects) {
    if (!await isObjectNeeded(database, object.digest, object.tenantId)) continue;
    await database.queries.insert(storedObjects).values(object).onConflictDoNothing();
  }
}
