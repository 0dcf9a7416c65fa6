/**
 * The life of an object between store and database: counted, made visible, named by a row, and removed after its last row.
 *
 * Servers share both, so nothing here relies on the memory of one process. An object is held in the database before it is made visible
 * and until its row is there; whoever removes an object looks for holds and rows under the same lock under which holds are made.
 */
import type { Config } from "../config.ts";
import {
  type Database,
  endHold,
  holdObject,
  isObjectReferenced,
  releaseObjectRow,
  storageFull,
  storageUse,
} from "../db/mod.ts";
import { isSottoError } from "../errors.ts";
import type { ObjectInfo, ObjectStore, StagedObject } from "./object_store.ts";

/** What objects live in. */
export interface ObjectParts {
  readonly database: Database;
  readonly store: ObjectStore;
  readonly config: Pick<Config, "tenantBytes">;
}

/** A visible object that nobody removes before `end`, for a day at most: its row is added in between. */
export interface HeldObject extends ObjectInfo {
  /** Ends the hold; an object that no row of the tenant names then is released. */
  end(): Promise<void>;
}

/** For whom an object is kept. */
export interface ObjectOwner {
  readonly tenantId: string;
  /** What work makes that was taken on is stored although the tenant may store no more: it counts, but is not refused. */
  readonly admitted?: boolean;
}

/** Counts a staged object for its owner and makes it visible. Throws `quota_exceeded`, `store_unavailable`. */
export async function holdStaged(parts: ObjectParts, owner: ObjectOwner, staged: StagedObject): Promise<HeldObject> {
  const { digest, bytes } = staged;
  const { database, config } = parts;
  const { tenantId, admitted } = owner;
  const hold = await holdObject(database, { tenantId, digest, bytes }, admitted ? undefined : config.tenantBytes);
  const end = async () => {
    await endHold(database, hold);
    if (!await isObjectReferenced(database, digest, tenantId)) await releaseObject(parts, digest);
  };
  try {
    await staged.commit();
  } catch (error) {
    await end();
    throw error;
  }
  return { digest, bytes, end };
}

/** Makes a staged object visible and then names it by `addRow`. Throws `quota_exceeded`, `store_unavailable`. */
export async function keepObject<T>(
  parts: ObjectParts,
  owner: ObjectOwner,
  staged: StagedObject,
  addRow: () => Promise<T>,
): Promise<T> {
  const held = await holdStaged(parts, owner, staged);
  try {
    return await addRow();
  } finally {
    await held.end();
  }
}

/** Stores bytes and names them by `addRow`, which gets their digest. Throws `quota_exceeded`, `store_unavailable`. */
export async function storeObject<T>(
  parts: ObjectParts,
  owner: ObjectOwner,
  bytes: Uint8Array,
  addRow: (digest: string) => Promise<T>,
): Promise<T> {
  const staged = await parts.store.stage(bytes, { maxBytes: bytes.length });
  try {
    return await keepObject(parts, owner, staged, () => addRow(staged.digest));
  } finally {
    await staged.discard();
  }
}

/** Throws `quota_exceeded` when a tenant may not store so many bytes more. `holdStaged` decides; this tells before bytes are read. */
export async function requireStorage(
  parts: Omit<ObjectParts, "store">,
  tenantId: string,
  bytes: number,
): Promise<void> {
  const use = await storageUse(parts.database, tenantId, parts.config.tenantBytes);
  if (use.bytes + bytes > use.bytesMax) throw storageFull(use);
}

/**
 * After a row that named the object is gone: removes it unless another row names it. Returns whether it was removed; what a store that
 * does not work keeps is collected later.
 */
export async function releaseObject(
  { database, store }: Pick<ObjectParts, "database" | "store">,
  digest: string | null | undefined,
): Promise<boolean> {
  if (digest === null || digest === undefined) return false;
  try {
    return await releaseObjectRow(database, digest, () => store.delete(digest));
  } catch (error) {
    if (isSottoError(error) && error.code === "store_unavailable") return false;
    throw error;
  }
}
