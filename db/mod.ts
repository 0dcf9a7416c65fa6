/** The door of the database: opening it, and the queries of each aggregate. */
export {
  type AuditFilter,
  type AuditRow,
  exportAudit,
  insertAudit,
  listAudit,
  type NewAuditRow,
  removeAudit,
} from "./audit.ts";
export { asDatabaseError } from "./database_error.ts";
export {
  type Connection,
  type Database,
  type DatabaseLocation,
  migrateDatabase,
  openDatabase,
  type Queries,
} from "./database.ts";
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
export { jobStatistics, type QueueStatistics, queueStatistics, workerStatistics } from "./job_statistics.ts";
export { type FolderLock, lockFolder } from "./folder_lock.ts";
export { type MigrateMode, SCHEMA_VERSION, type SchemaState } from "./migrations.ts";
export { deleteModel, findModel, insertModel, listModels, type ModelRow, type ModelSummary } from "./models.ts";
export {
  findUnneeded,
  isObjectReferenced,
  listReferences,
  listUncounted,
  type ObjectReference,
} from "./object_references.ts";
export { endTask, takeTask } from "./shared_tasks.ts";
export {
  countObjects,
  endHold,
  holdObject,
  type NewObject,
  releaseObjectRow,
  storageFull,
  type StorageUse,
  storageUse,
  tidyStoredObjects,
} from "./stored_objects.ts";
export { type Count, RateCounter, removeRateLimits } from "./rate_counter.ts";
export {
  forgetTenantLoads,
  readTenantLoads,
  removeTenantLoads,
  reportTenantLoads,
  type TenantLoad,
} from "./tenant_loads.ts";
export {
  changeTenant,
  createTenant,
  deleteTenant,
  findOrCreateTenant,
  findTenant,
  listTenants,
  type Tenant,
  type TenantLimits,
} from "./tenants.ts";
export {
  countActiveTokens,
  createToken,
  findToken,
  listTokens,
  type NewToken,
  revokeOwnerTokens,
  revokeToken,
  rotateToken,
  type TokenInfo,
} from "./tokens.ts";
export { type FoundToken, TokenLookup } from "./token_lookup.ts";
export { type Caller, verifyToken } from "./verify_token.ts";
export {
  changeTrainingSession,
  countTrainingSessions,
  deleteTrainingSession,
  findTrainingSession,
  insertTrainingSession,
  listLiveRuns,
  listStrayRuns,
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
  BASE_WEIGHTS,
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
export { advanceClock, findPlaces, lockPlaces, restartIdleClock, saveFinishTag } from "./fair_shares.ts";
export {
  cancelJobParts,
  cancelLostParts,
  changeJobPart,
  changeLeasedPart,
  countPartStates,
  dropJobObjects,
  findJobPart,
  insertJobParts,
  type JobPartRow,
  type JobProgress,
  jobProgress,
  listJobParts,
  listRunningParts,
  listStrandedParts,
  lockLease,
  type PartLease,
  reportProgress,
  secondsBefore,
  sumServerMs,
} from "./job_parts.ts";
export {
  changeJob,
  countJobBytes,
  countUnfinishedJobs,
  deleteJob,
  findJob,
  findJobByKey,
  findUnfinishedJob,
  insertJob,
  type JobChange,
  type JobCursor,
  type JobRow,
  listExpiredJobs,
  listJobs,
  listUnfinishedJobs,
  lockJob,
} from "./jobs.ts";
export { inTransaction } from "./transaction.ts";
export { countWorkers, deleteLostWorkers, deleteWorker, saveWorker, type WorkerRow } from "./workers.ts";
export {
  JOB_KINDS,
  JOB_PRIORITIES,
  JOB_STATES,
  type JobKind,
  type JobPriority,
  type JobState,
  type PartState,
  type StoredError,
  type StoredLive,
  type StoredTask,
} from "./types.ts";

export { advanceCounters, inSnapshot, isEmptyDatabase, readTable, TABLES, writeRows } from "./table_rows.ts";
export {
  changeIdempotencyRow,
  dropIdempotencyKey,
  type IdempotencyHold,
  type IdempotencyRow,
  removeIdempotencyKeys,
  seizeIdempotencyKey,
  takeIdempotencyKey,
} from "./idempotency.ts";
