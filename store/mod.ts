/** The door of the object store. */
export { limitBytes, tooLarge } from "./byte_limit.ts";
export { openFileStore } from "./file_store.ts";
export type { ObjectInfo, ObjectSource, ObjectStore, PutLimits, StagedObject } from "./object_store.ts";
