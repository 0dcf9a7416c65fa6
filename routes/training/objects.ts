/** Objects that sessions name: made visible before their row, removed after their last row. */
import { isObjectReferenced } from "../../db/mod.ts";
import type { StagedObject } from "../../store/mod.ts";
import type { Services } from "../services.ts";

/** Makes a staged object visible and then names it by `addRow`. */
export function keepObject<T>({ store }: Services, staged: StagedObject, addRow: () => Promise<T>): Promise<T> {
  return store.exclusive(staged.digest, async () => {
    await staged.commit();
    return await addRow();
  });
}

/** Stores bytes and names them by `addRow`, which gets their digest. */
export async function storeObject<T>(
  services: Services,
  bytes: Uint8Array,
  addRow: (digest: string) => Promise<T>,
): Promise<T> {
  const staged = await services.store.stage(bytes, { maxBytes: bytes.length });
  try {
    return await keepObject(services, staged, () => addRow(staged.digest));
  } finally {
    await staged.discard();
  }
}

/** Removes an object that a row named, unless another row names it. */
export async function releaseObject({ store, database }: Services, digest: string | null | undefined): Promise<void> {
  if (digest === null || digest === undefined) return;
  await store.exclusive(digest, async () => {
    if (!(await isObjectReferenced(database, digest))) await store.delete(digest);
  });
}
