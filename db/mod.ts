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
export {
  type BaseModelRow,
  countBaseModelSessions,
  deleteBaseModel,
  findBaseModel,
  insertBaseModel,
  listBaseModels,
} from "./finetune_base_models.ts";
export {
  chargeFineTuningSession,
  countFineTuningSessions,
  deleteFineTuningSession,
  findFineTuningSession,
  type FineTuningSessionRow,
  insertFineTuningSession,
  listFineTuningSessions,
} from "./finetune_sessions.ts";
export { type FolderLock, lockFolder } from "./folder_lock.ts";
export { deleteModel, findModel, insertModel, listModels, type ModelRow, type ModelSummary } from "./models.ts";
export { isObjectReferenced } from "./object_references.ts";
export { createTenant, findOrCreateTenant, listTenants, type Tenant } from "./tenants.ts";
export {
  createToken,
  listTokens,
  type NewToken,
  revokeOwnerTokens,
  revokeToken,
  type TokenInfo,
  verifyToken,
} from "./tokens.ts";
export {
  changeTrainingSession,
  countTrainingSessions,
  deleteTrainingSession,
  findTrainingSession,
  insertTrainingSession,
  interruptTrainingSessions,
  listTrainingSessions,
  trainingObjects,
  type TrainingSessionRow,
} from "./training_sessions.ts";
export {
  deleteTrainingOwner,
  findTrainingOwner,
  insertTrainingOwner,
  listTrainingOwners,
  resetOrderConfirmations,
  setOrderConfirmation,
  type TrainingOwnerRow,
} from "./training_owners.ts";
export {
  countTrainingBatches,
  findTrainingBatch,
  listBatchParts,
  putTrainingBatch,
  type TrainingBatchRow,
} from "./training_batches.ts";
export {
  type Capability,
  FINE_TUNING_MASKS,
  type FineTuningMasks,
  type ImportOptions,
  type ModelSource,
  OWNER_KINDS,
  type OwnerKind,
  type Scope,
  SCOPES,
  type StoredConfig,
  type StoredDescription,
  type StoredFile,
  type StoredGroup,
  type StoredPlacement,
  type StoredPlan,
  type StoredSpec,
  TRAINING_STATES,
  type TrainingState,
} from "./types.ts";
