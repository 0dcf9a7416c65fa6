import type { Database } from "./database.ts";
import { SharedLookup } from "./shared_lookup.ts";

/** What names a thing of a tenant. */
export interface Owned {
  readonly tenantId: string;
  readonly id: string;
}

/** A finder of things that belong to tenants, one shared lookup a database; `query` finds several at once. */
export function ownedLookup<T>(
  query: (database: Database, wanted: readonly Owned[]) => Promise<(readonly [Owned, T])[]>,
): (database: Database, owned: Owned) => Promise<T | undefined> {
  const lookups = new WeakMap<Database, SharedLookup<T>>();
  const lookupOf = (database: Database) => {
    const known = lookups.get(database);
    if (known !== undefined) return known;
    const made = new SharedLookup<T>(async (keys) => {
      const found = await query(database, keys.map(ownedOf));
      return new Map(found.map(([owned, thing]) => [keyOf(owned), thing]));
    });
    lookups.set(database, made);
    return made;
  };
  return (database, owned) => lookupOf(database).find(keyOf(owned));
}

const keyOf = ({ tenantId, id }: Owned) => JSON.stringify([tenantId, id]);

function ownedOf(key: string): Owned {
  const [tenantId, id] = JSON.parse(key);
  return { tenantId, id };
}
