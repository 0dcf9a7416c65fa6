import { listReferences } from "../db/mod.ts";
import { isSottoError } from "../errors.ts";
import type { ObjectParts } from "./keep_object.ts";

/** An object that is not as it should be. */
export interface ObjectProblem {
  readonly digest: string;
  readonly problem: "changed" | "missing";
  /** Whose rows name it; empty for one that no row names. */
  readonly tenants: readonly string[];
}

export interface ObjectCheck {
  readonly objects: number;
  readonly bytes: number;
  readonly problems: readonly ObjectProblem[];
}

/** Reads every object and compares it with its name; then looks for objects that rows name and that are not there. */
export async function checkObjects({ database, store }: Omit<ObjectParts, "config">): Promise<ObjectCheck> {
  const seen = new Set<string>();
  const changed: string[] = [];
  let bytes = 0;
  for await (const object of store.list()) {
    if (!await isRight(store, object.digest)) changed.push(object.digest);
    seen.add(object.digest);
    bytes += object.bytes;
  }
  const references = Map.groupBy(await listReferences(database), ({ digest }) => digest);
  const missing: string[] = [];
  for (const digest of references.keys()) {
    if (!seen.has(digest) && !await store.has(digest)) missing.push(digest);
  }
  const tenants = (digest: string) => (references.get(digest) ?? []).map(({ tenantId }) => tenantId);
  const problem = (digest: string, kind: ObjectProblem["problem"]) => ({
    digest,
    problem: kind,
    tenants: tenants(digest),
  });
  const problems = [
    ...changed.map((digest) => problem(digest, "changed")),
    ...missing.map((digest) => problem(digest, "missing")),
  ];
  return { objects: seen.size, bytes, problems };
}

/** True also for an object that was removed meanwhile. */
async function isRight(store: ObjectParts["store"], digest: string): Promise<boolean> {
  try {
    for await (const _ of await store.openReadable(digest));
    return true;
  } catch (error) {
    if (!isSottoError(error) || error.code !== "store_corrupt") throw error;
    return !await store.has(digest);
  }
}
