import type { ObjectInfo, StagedObject } from "./object_store.ts";

/** Makes a staged object visible at once; nothing stays staged. */
export async function putStaged(staged: StagedObject): Promise<ObjectInfo> {
  try {
    await staged.commit();
  } finally {
    await staged.discard();
  }
  return { digest: staged.digest, bytes: staged.bytes };
}
