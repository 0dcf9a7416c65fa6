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
  Capability,
  FineTuningMasks,
  ImportOptions,
  ModelSource,
  OwnerKind,
  Scope,
  StoredConfig,
  StoredDescription,
  StoredFile,
  StoredGroup,
  StoredPlacement,
  StoredPlan,
  StoredSpec,
  TrainingState,
} from "./types.ts";

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** Who owns keys, models and tokens; nothing is ever shared between two of them. */
export const tenants = pgTable("tenants", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  createdAt: instant("created_at").notNull(),
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
}, (table) => [index("tokens_tenant").on(table.tenantId)]);

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
