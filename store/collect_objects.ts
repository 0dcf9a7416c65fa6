import {
  countObjects,
  findUnneeded,
  listUncounted,
  type NewObject,
  releaseObjectRow,
  tidyStoredObjects,
} from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import type { ObjectParts } from "./keep_object.ts";
import type { StoredObject } from "./object_store.ts";

/** Digests that the database is asked for at once. */
const BATCH = 500;
/** From so many on, a collection that would take more than half of the objects is not believed. */
const SUSPICIOUS = 100;

export interface CollectOptions {
  /** Objects that became visible later are left alone. */
  readonly before: Date;
  /** Counts what would be removed, and removes nothing. */
  readonly dryRun?: boolean;
  /** Removes even most of the objects. */
  readonly all?: boolean;
}

/** What a collection removed, or would. */
export interface Collected {
  readonly objects: number;
  readonly bytes: number;
  /** Temporary files and uploads of processes that have ended. */
  readonly leftovers: number;
}

/**
 * Removes the objects that no row names and nobody holds, and what dead processes left unfinished; corrects what is counted for tenants.
 * An object is asked for again when it is removed, under the lock of its name: one that is being uploaded is held, so it stays.
 * Throws `conflict` when most of the objects would go: then this is hardly the database of this store.
 */
export async function collectObjects(parts: ObjectParts, options: CollectOptions): Promise<Collected> {
  const { before, dryRun = false, all = false } = options;
  const found = await findGarbage(parts, before);
  const bytes = found.garbage.reduce((sum, object) => sum + object.bytes, 0);
  if (dryRun) return { objects: found.garbage.length, bytes, leftovers: 0 };
  if (!all && found.garbage.length >= SUSPICIOUS && found.garbage.length > found.total / 2) {
    const what = `${found.garbage.length} of ${found.total} objects are named by no row`;
    throw new SottoError(
      "conflict",
      `${what}: check that this is their database, then use \`sotto store collect --all\``,
    );
  }
  await tidyStoredObjects(parts.database);
  await countObjects(parts.database, found.uncounted);
  const collected = await remove(parts, found.garbage);
  return { ...collected, leftovers: await parts.store.removeLeftovers(before) };
}

interface Found {
  readonly total: number;
  readonly garbage: StoredObject[];
  /** Objects that rows name but nobody counts, with their sizes. */
  readonly uncounted: NewObject[];
}

async function findGarbage({ database, store }: ObjectParts, before: Date): Promise<Found> {
  const tenantsOf = Map.groupBy(await listUncounted(database), ({ digest }) => digest);
  const [garbage, uncounted]: [StoredObject[], NewObject[]] = [[], []];
  let total = 0;
  let old: StoredObject[] = [];
  const ask = async () => {
    const unneeded = new Set(await findUnneeded(database, old.map(({ digest }) => digest)));
    garbage.push(...old.filter(({ digest }) => unneeded.has(digest)));
    old = [];
  };
  for await (const object of store.list()) {
    total++;
    const { digest, bytes } = object;
    for (const { tenantId } of tenantsOf.get(digest) ?? []) uncounted.push({ tenantId, digest, bytes });
    if (object.changedAt < before) old.push(object);
    if (old.length === BATCH) await ask();
  }
  await ask();
  return { total, garbage, uncounted };
}

async function remove({ database, store }: ObjectParts, garbage: readonly StoredObject[]) {
  let [objects, bytes] = [0, 0];
  for (const object of garbage) {
    if (!await releaseObjectRow(database, object.digest, () => store.delete(object.digest))) continue;
    objects++;
    bytes += object.bytes;
  }
  return { objects, bytes };
}
