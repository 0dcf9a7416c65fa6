/** The door of the object store. */
export { limitBytes, tooLarge } from "./byte_limit.ts";
export { checkObjects, type ObjectCheck, type ObjectProblem } from "./check_objects.ts";
export { type Collected, collectObjects, type CollectOptions } from "./collect_objects.ts";
export { openFileStore } from "./file_store.ts";
export {
  type HeldObject,
  holdStaged,
  keepObject,
  type ObjectOwner,
  type ObjectParts,
  releaseObject,
  requireStorage,
  storeObject,
} from "./keep_object.ts";
export { ObjectCollector } from "./object_collector.ts";
export type { ObjectInfo, ObjectSource, ObjectStore, PutLimits, StagedObject, StoredObject } from "./object_store.ts";
export { openStore, type StoreLocation } from "./open_store.ts";
