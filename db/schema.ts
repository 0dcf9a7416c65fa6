/** The tables. Large bytes never lie here: rows name objects of the object store by digest. */
import {
  bigint,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import type {
  BaseWeights,
  Capability,
  FineTuningMasks,
  ImportOptions,
  JobKind,
  JobPriority,
  JobState,
  ModelSource,
  OwnerKind,
  PartState,
  Scope,
  StoredConfig,
  StoredDescription,
  StoredError,
  StoredFile,
  StoredGroup,
  StoredLive,
  StoredPlacement,
  StoredPlan,
  StoredSpec,
  StoredTask,
  TrainingState,
} from "./types.ts";

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** Who owns keys, models and tokens; nothing is ever shared between two of them. */
export const tenants = pgTable("tenants", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  createdAt: instant("created_at").notNull(),
  /** Its tokens are refused since. */
  disabledAt: instant("disabled_at"),
  /** Limits of this tenant instead of the server's; null: those of the server. */
  requestsPerMinute: integer("requests_per_minute"),
  uploadBytesPerMinute: bigint("upload_bytes_per_minute", { mode: "number" }),
  concurrentRequests: integer("concurrent_requests"),
  queuedRequests: integer("queued_requests"),
  bytesMax: bigint("bytes_max", { mode: "number" }),
}, (table) => [uniqueIndex("tenants_name").on(table.name)]);

/** API tokens; only the SHA-256 of a token is kept. */
export const tokens = pgTable("tokens", {
  id: text("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  hash: text("hash").notNull(),
  scopes: text("scopes").array().$type<Scope[]>().notNull(),
  createdAt: instant("created_at").notNull(),
  expiresAt: instant("expires_at").notNull(),
  revokedAt: instant("revoked_at"),
  /** Of the token of a data owner: reaches nothing but that owner's part of its session. */
  trainingOwnerId: uuid("training_owner_id").references(() => trainingOwners.id, { onDelete: "cascade" }),
  /** What the token is for, for people. */
  name: text("name").notNull().default(""),
  /** To the minute. */
  lastUsedAt: instant("last_used_at"),
  /** The token that took its place when it was rotated. */
  replacedBy: text("replaced_by"),
  /** Null: no other limit than its tenant's. */
  requestsPerMinute: integer("requests_per_minute"),
}, (table) => [index("tokens_tenant").on(table.tenantId)]);

/** Counters of the limits a minute, shared by all servers; the columns are those of rate-limiter-flexible. */
export const rateLimits = pgTable("rate_limits", {
  key: text("key").primaryKey(),
  points: bigint("points", { mode: "number" }).notNull(),
  expire: instant("expire"),
}, (table) => [index("rate_limits_expire").on(table.expire)]);

/** How many requests of a tenant are inside of each server; rows of servers that ended grow old and count no more. */
export const tenantLoads = pgTable("tenant_loads", {
  serverId: uuid("server_id").notNull(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  requests: integer("requests").notNull(),
  queued: integer("queued").notNull(),
  seenAt: instant("seen_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.serverId, table.tenantId] }),
  index("tenant_loads_tenant").on(table.tenantId),
]);

/** What was asked for by whom; never data. Rows outlive their tenant. */
export const audit = pgTable("audit", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  at: instant("at").notNull(),
  tenantId: uuid("tenant_id").notNull(),
  /** Null: done on the server's machine. */
  tokenId: text("token_id"),
  /** Such as `POST /v1/models/{id}/predictions`. */
  action: text("action").notNull(),
  /** Ids of what the action was about. */
  subject: text("subject"),
  bytesIn: bigint("bytes_in", { mode: "number" }),
  bytesOut: bigint("bytes_out", { mode: "number" }),
  status: integer("status").notNull(),
  code: text("code"),
  requestId: text("request_id").notNull(),
  ms: integer("ms").notNull(),
}, (table) => [index("audit_tenant").on(table.tenantId, table.id), index("audit_at").on(table.at)]);

/** Registered key files (evaluation keys and lookup keys); `digest` is the trailer of the file and its public id. */
export const evaluationKeys = pgTable("evaluation_keys", {
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  digest: text("digest").notNull(),
  objectDigest: text("object_digest").notNull(),
  keyId: text("key_id").notNull(),
  capability: text("capability").$type<Capability>().notNull().default("pack"),
  parameterSet: text("parameter_set").notNull(),
  bytes: bigint("bytes", { mode: "number" }).notNull(),
  createdAt: instant("created_at").notNull(),
  expiresAt: instant("expires_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.tenantId, table.digest] }),
  index("evaluation_keys_object").on(table.objectDigest),
  index("evaluation_keys_capability").on(table.tenantId, table.keyId, table.capability),
]);

/** Imported models; the file that was imported is the object, the compiled form is made from it when needed. */
export const models = pgTable("models", {
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  id: text("id").notNull(),
  name: text("name").notNull(),
  source: jsonb("source").$type<ModelSource>().notNull(),
  options: jsonb("options").$type<ImportOptions>().notNull(),
  description: jsonb("description").$type<StoredDescription>().notNull(),
  objectDigest: text("object_digest").notNull(),
  createdAt: instant("created_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.tenantId, table.id] }),
  index("models_object").on(table.objectDigest),
]);

/** Encrypted trainings: what is agreed, how far they are, and the objects that hold keys, row order and last checkpoint. */
export const trainingSessions = pgTable("training_sessions", {
  id: uuid("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  name: text("name").notNull(),
  spec: jsonb("spec").$type<StoredSpec>().notNull(),
  plan: jsonb("plan").$type<StoredPlan>().notNull(),
  batchCount: integer("batch_count").notNull(),
  checkpointEvery: integer("checkpoint_every").notNull(),
  state: text("state").$type<TrainingState>().notNull(),
  /** Why it failed, for the caller. */
  failure: text("failure"),
  /** Step after which the current run ends. */
  stopAt: integer("stop_at").notNull(),
  keyId: text("key_id"),
  trainingKeysObject: text("training_keys_object"),
  publicKeyObject: text("public_key_object"),
  orderDigest: text("order_digest"),
  orderObject: text("order_object"),
  /** Steps that the checkpoint holds. */
  step: integer("step").notNull(),
  checkpointObject: text("checkpoint_object"),
  /** Measured milliseconds of a step. */
  stepMs: doublePrecision("step_ms"),
  createdAt: instant("created_at").notNull(),
  changedAt: instant("changed_at").notNull(),
}, (table) => [index("training_sessions_tenant").on(table.tenantId), index("training_sessions_state").on(table.state)]);

/** Who brings data to a session. */
export const trainingOwners = pgTable("training_owners", {
  id: uuid("id").primaryKey(),
  sessionId: uuid("session_id").notNull().references(() => trainingSessions.id, { onDelete: "cascade" }),
  name: text("name").notNull(),
  kind: text("kind").$type<OwnerKind>().notNull(),
  /** Feature numbers of an owner of columns; empty otherwise. */
  columns: jsonb("columns").$type<number[]>().notNull(),
  /** Batches that the owner fills: all of them unless it owns rows. */
  firstBatch: integer("first_batch").notNull(),
  batchCount: integer("batch_count").notNull(),
  /** The row order that the owner confirmed. */
  orderDigest: text("order_digest"),
  createdAt: instant("created_at").notNull(),
}, (table) => [uniqueIndex("training_owners_name").on(table.sessionId, table.name)]);

/** Uploaded parts of batches: one file an owner and batch. */
export const trainingBatches = pgTable("training_batches", {
  sessionId: uuid("session_id").notNull().references(() => trainingSessions.id, { onDelete: "cascade" }),
  batch: integer("batch").notNull(),
  ownerId: uuid("owner_id").notNull().references(() => trainingOwners.id, { onDelete: "cascade" }),
  digest: text("digest").notNull(),
  objectDigest: text("object_digest").notNull(),
  bytes: bigint("bytes", { mode: "number" }).notNull(),
  createdAt: instant("created_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.sessionId, table.batch, table.ownerId] }),
  index("training_batches_object").on(table.objectDigest),
]);

/** Language models whose weights lie in the folder of base models; what clients need of them is the object. */
export const baseModels = pgTable("base_models", {
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  /** SHA-256 of the weights and of how they are cut. */
  id: text("id").notNull(),
  name: text("name").notNull(),
  /** Below the folder of base models. */
  path: text("path").notNull(),
  weights: text("weights").$type<BaseWeights>().notNull().default("int8"),
  /** The files of the model, to notice that they were changed. */
  files: jsonb("files").$type<StoredFile[]>().notNull(),
  config: jsonb("config").$type<StoredConfig>().notNull(),
  groups: jsonb("groups").$type<StoredGroup[]>().notNull(),
  /** Embedding, norms and scales: a safetensors file. */
  publicObject: text("public_object").notNull(),
  publicBytes: bigint("public_bytes", { mode: "number" }).notNull(),
  createdAt: instant("created_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.tenantId, table.id] }),
  index("base_models_object").on(table.publicObject),
]);

/** Who multiplies tokens by a base model, and how much. */
export const fineTuningSessions = pgTable("fine_tuning_sessions", {
  id: uuid("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  baseModelId: text("base_model_id").notNull(),
  parameterSet: text("parameter_set").notNull(),
  masks: text("masks").$type<FineTuningMasks>().notNull(),
  /** Of cached masks, hex: 32 bytes, public. */
  maskSeed: text("mask_seed"),
  /** Tokens of a request at most. */
  tokensMax: integer("tokens_max").notNull(),
  /** Servers of layers, as configured when the session was made. */
  placement: jsonb("placement").$type<StoredPlacement[]>().notNull(),
  requests: bigint("requests", { mode: "number" }).notNull(),
  /** Of requests and answers. */
  bytesUsed: bigint("bytes_used", { mode: "number" }).notNull(),
  bytesMax: bigint("bytes_max", { mode: "number" }).notNull(),
  createdAt: instant("created_at").notNull(),
}, (table) => [
  index("fine_tuning_sessions_tenant").on(table.tenantId),
  foreignKey({
    name: "fine_tuning_sessions_base_model",
    columns: [table.tenantId, table.baseModelId],
    foreignColumns: [baseModels.tenantId, baseModels.id],
  }),
]);

/** Work that is done later: predictions of many rows, runs of trainings, imports of models. */
export const jobs = pgTable("jobs", {
  id: uuid("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  kind: text("kind").$type<JobKind>().notNull(),
  /** Of the request that made it: the same key makes no other job. */
  idempotencyKey: text("idempotency_key"),
  /** What a worker must have, such as `cpu`. */
  capability: text("capability").notNull(),
  /** The model of a prediction, the session of a training run; null for an import. */
  subject: text("subject"),
  /** What is computed, as its handler wrote it; the database only keeps it. */
  task: jsonb("task").$type<StoredTask>().notNull(),
  state: text("state").$type<JobState>().notNull(),
  priority: text("priority").$type<JobPriority>().notNull(),
  rows: integer("rows").notNull(),
  plannedSeconds: doublePrecision("planned_seconds").notNull(),
  /** What a worker needs beside the program. */
  memoryBytes: bigint("memory_bytes", { mode: "number" }).notNull(),
  stopRequestedAt: instant("stop_requested_at"),
  /** Why it was to stop, for the caller. */
  stopReason: text("stop_reason"),
  /** The span that made it, in the W3C format: parts go on with its trace. */
  traceparent: text("traceparent"),
  /** Of jobs that failed or were cancelled. */
  error: jsonb("error").$type<StoredError>(),
  /** Of jobs that succeeded: what they made, such as the id of a model. */
  result: text("result"),
  /** Time of the back end. */
  serverMs: doublePrecision("server_ms"),
  createdAt: instant("created_at").notNull(),
  startedAt: instant("started_at"),
  finishedAt: instant("finished_at"),
  /** It is forgotten then, its answers too. */
  expiresAt: instant("expires_at"),
}, (table) => [
  index("jobs_tenant").on(table.tenantId, table.createdAt),
  uniqueIndex("jobs_idempotency").on(table.tenantId, table.idempotencyKey),
  index("jobs_state").on(table.state),
  index("jobs_expiry").on(table.expiresAt),
  index("jobs_subject").on(table.subject),
]);

/** The pieces of jobs that workers compute; every one has one message in the queue until it has ended. */
export const jobParts = pgTable("job_parts", {
  jobId: uuid("job_id").notNull().references(() => jobs.id, { onDelete: "cascade" }),
  number: integer("number").notNull(),
  firstRow: integer("first_row").notNull(),
  rows: integer("rows").notNull(),
  plannedSeconds: doublePrecision("planned_seconds").notNull(),
  /** Its place in the fair order: the virtual second at which it is to start. */
  startTag: doublePrecision("start_tag").notNull(),
  inputObject: text("input_object"),
  inputBytes: bigint("input_bytes", { mode: "number" }).notNull(),
  outputObject: text("output_object"),
  /** Of the output, planned before it is there. */
  outputBytes: bigint("output_bytes", { mode: "number" }).notNull(),
  state: text("state").$type<PartState>().notNull(),
  /** The message that may start it; any other is stale. */
  message: uuid("message").notNull(),
  /** Who may write its result: a new one for every attempt. */
  lease: uuid("lease"),
  workerId: uuid("worker_id"),
  attempts: integer("attempts").notNull(),
  /** When the last attempt began. */
  startedAt: instant("started_at"),
  /** Share done, between 0 and 1. */
  progress: doublePrecision("progress").notNull(),
  /** How far it is, in the words of its handler. */
  live: jsonb("live").$type<StoredLive>(),
  /** Why the last attempt failed. */
  error: jsonb("error").$type<StoredError>(),
  serverMs: doublePrecision("server_ms"),
  changedAt: instant("changed_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.jobId, table.number] }),
  index("job_parts_state").on(table.state),
  index("job_parts_input").on(table.inputObject),
  index("job_parts_output").on(table.outputObject),
]);

/** Processes that compute jobs. */
export const workers = pgTable("workers", {
  id: uuid("id").primaryKey(),
  /** Host and process, for people. */
  name: text("name").notNull(),
  capabilities: text("capabilities").array().notNull(),
  backend: text("backend").notNull(),
  threads: integer("threads").notNull(),
  memoryBytes: bigint("memory_bytes", { mode: "number" }).notNull(),
  startedAt: instant("started_at").notNull(),
  seenAt: instant("seen_at").notNull(),
});

/** The virtual second of each queue: the start tag of what was claimed last. */
export const fairClocks = pgTable("fair_clocks", {
  queue: text("queue").primaryKey(),
  virtualSecond: doublePrecision("virtual_second").notNull(),
});

/** The finish tag of the last part of each tenant in a queue. */
export const fairShares = pgTable("fair_shares", {
  queue: text("queue").notNull(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  finishTag: doublePrecision("finish_tag").notNull(),
}, (table) => [primaryKey({ columns: [table.queue, table.tenantId] })]);

/** Requests with an idempotency key, and what they were answered. */
export const idempotencyKeys = pgTable("idempotency_keys", {
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  key: text("key").notNull(),
  /** SHA-256 of method, path, query and scopes. */
  request: text("request").notNull(),
  /** Who answers it: a request whose server has ended gives way to the next one. */
  holder: uuid("holder").notNull(),
  seenAt: instant("seen_at").notNull(),
  /** SHA-256 of its body, once it is answered. */
  bodyDigest: text("body_digest"),
  /** Null while the first request is being answered. */
  status: integer("status"),
  headers: jsonb("headers").$type<Record<string, string>>(),
  /** Null with a status: the answer is not kept. */
  body: text("body"),
  createdAt: instant("created_at").notNull(),
  expiresAt: instant("expires_at").notNull(),
}, (table) => [
  primaryKey({ columns: [table.tenantId, table.key] }),
  index("idempotency_keys_expiry").on(table.expiresAt),
]);

/** What each tenant stores, counted once however many of its rows name it: the sum is what its byte quota bounds. */
export const storedObjects = pgTable("stored_objects", {
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  digest: text("digest").notNull(),
  bytes: bigint("bytes", { mode: "number" }).notNull(),
}, (table) => [
  primaryKey({ columns: [table.tenantId, table.digest] }),
  index("stored_objects_digest").on(table.digest),
]);

/** Objects that are about to be named by a row: until then they count as named. */
export const objectHolds = pgTable("object_holds", {
  id: uuid("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull().references(() => tenants.id, { onDelete: "cascade" }),
  digest: text("digest").notNull(),
  expiresAt: instant("expires_at").notNull(),
}, (table) => [index("object_holds_digest").on(table.digest), index("object_holds_expiry").on(table.expiresAt)]);

/** Tasks that one process at a time does for all: who does them, until when, and when they are due again. */
export const sharedTasks = pgTable("shared_tasks", {
  name: text("name").primaryKey(),
  holder: uuid("holder").notNull(),
  /** Nobody else may begin before. */
  until: instant("until").notNull(),
});
