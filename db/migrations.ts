/** Which version of the schema this code has, and which one a database has. */
import { sql } from "drizzle-orm";
import { fileURLToPath } from "node:url";
import { SottoError } from "../errors.ts";
import journal from "./migrations/meta/_journal.json" with { type: "json" };
import type { Queries } from "./database.ts";
import { rawRows } from "./raw_rows.ts";

/** Folder of the migrations that drizzle made of `schema.ts`. */
export const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));

/** A database without tables, one of an older or newer version of Sotto, or one that fits this code. */
export type SchemaState = "empty" | "older" | "current" | "newer";

/** What a process does about a database that does not fit when it opens it: `empty` sets up an empty one only. */
export type MigrateMode = "auto" | "empty" | "never";

/** Of the schema that this code has: when its last migration was made. */
export const SCHEMA_VERSION = Math.max(...journal.entries.map(({ when }) => when));

/** Compares the database with this code. */
export async function schemaState(queries: Queries): Promise<SchemaState> {
  const [found] = await rawRows(
    queries,
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as present`,
  );
  if (found.present !== true) return "empty";
  const [applied] = await rawRows(
    queries,
    sql`select max(created_at)::float8 as last from drizzle.__drizzle_migrations`,
  );
  if (applied.last === null) return "empty";
  const last = Number(applied.last);
  return last === SCHEMA_VERSION ? "current" : last < SCHEMA_VERSION ? "older" : "newer";
}

/**
 * True when the database is to be migrated, false when it fits.
 * Throws `schema_version_wrong` when it is newer, or when `mode` does not allow what would have to be done.
 */
export function mustMigrate(state: SchemaState, mode: MigrateMode): boolean {
  if (state === "current") return false;
  if (state === "newer") {
    throw wrongVersion("the database was migrated by a newer version of Sotto: run that version, or restore a backup");
  }
  if (mode === "auto" || (mode === "empty" && state === "empty")) return true;
  const what = state === "empty" ? "has no tables of Sotto" : "is of an older version of Sotto";
  throw wrongVersion(`the database ${what}: run \`sotto migrate\` once, or set SOTTO_MIGRATE=auto`);
}

function wrongVersion(message: string): SottoError {
  return new SottoError("schema_version_wrong", message);
}
