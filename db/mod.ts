/** The door of the database: opening it, and the queries of each aggregate. */
export { asDatabaseError } from "./database_error.ts";
export { type Database, type DatabaseLocation, openDatabase } from "./database.ts";
export {
  deleteEvaluationKeys,
  type EvaluationKeysRow,
  findCapability,
  findEvaluationKeys,
  insertEvaluationKeys,
  listEvaluationKeys,
  renewEvaluationKeys,
} from "./evaluation_keys.ts";
export { type FolderLock, lockFolder } from "./folder_lock.ts";
export { deleteModel, findModel, insertModel, listModels, type ModelRow, type ModelSummary } from "./models.ts";
export { isObjectReferenced } from "./object_references.ts";
export { createTenant, findOrCreateTenant, listTenants, type Tenant } from "./tenants.ts";
export { createToken, listTokens, type NewToken, revokeToken, type TokenInfo, verifyToken } from "./tokens.ts";
export {
  type Capability,
  type ImportOptions,
  type ModelSource,
  type Scope,
  SCOPES,
  type StoredDescription,
} from "./types.ts";
