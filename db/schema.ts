/** The tables. Large bytes never lie here: rows name objects of the object store by digest. */
import { bigint, index, jsonb, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import type { Capability, ImportOptions, ModelSource, Scope, StoredDescription } from "./types.ts";

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
