/** Opens the database: PostgreSQL by address, or the embedded one (PGlite) in the data folder. Same schema, same queries. */
import type { PGlite } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { join } from "node:path";
import { isSottoError, SottoError } from "../errors.ts";
import { type MigrateMode, type SchemaState, schemaState } from "./migrations.ts";
import type * as schema from "./schema.ts";

/** What the queries need: the same for both databases. */
export type Queries = PgDatabase<PgQueryResultHKT, typeof schema>;

/** What lies below the queries, for those who speak to it themselves. It ends with the database. */
export type Connection =
  | { readonly kind: "embedded"; readonly pglite: PGlite }
  | { readonly kind: "server"; readonly url: string; readonly pool: PoolUse };

/** Connections to PostgreSQL that queries of this process share, now. */
export interface PoolUse {
  readonly totalCount: number;
  readonly idleCount: number;
  /** Queries that wait for a connection. */
  readonly waitingCount: number;
}

/** An open, migrated database. */
export interface Database {
  readonly queries: Queries;
  readonly connection: Connection;
  /** Throws `database_unavailable` when it does not answer. */
  check(): Promise<void>;
  /** How its schema compares with this code now: another process may have migrated it since. */
  schemaState(): Promise<SchemaState>;
  /** Closing twice is allowed. */
  close(): Promise<void>;
}

/** Where the database is: an address, or the folder that holds the embedded one in `pglite`; and how it is opened. */
export interface DatabaseLocation {
  readonly databaseUrl?: string;
  readonly dataDir: string;
  /** `auto` for the embedded database and `empty` for PostgreSQL when absent. */
  readonly migrate?: MigrateMode;
  /** Of the pool of PostgreSQL; 10 when absent. */
  readonly databaseConnections?: number;
}

/** Opens, and migrates when that is allowed. Throws `data_folder_locked`, `schema_version_wrong` or `database_unavailable`. */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  try {
    return await open(location);
  } catch (error) {
    throw asOpeningError(error);
  }
}

async function open({ databaseUrl, dataDir, migrate, databaseConnections = 10 }: DatabaseLocation): Promise<Database> {
  if (databaseUrl !== undefined) {
    const { openPostgres } = await import("./postgres.ts");
    return await openPostgres(databaseUrl, migrate ?? "empty", databaseConnections);
  }
  const { openEmbedded } = await import("./embedded.ts");
  return await openEmbedded(join(dataDir, "pglite"), migrate ?? "auto");
}

/**
 * Brings the database to this version, whatever the configuration says about migrations at a start.
 * @param also further work under the same lock, after the tables
 * Throws `migration_running`, `schema_version_wrong`, `data_folder_locked` or `database_unavailable`.
 */
export async function migrateDatabase(
  location: DatabaseLocation,
  also?: (database: Database) => Promise<void>,
): Promise<void> {
  try {
    await migrateNow({ ...location, migrate: "auto" }, also);
  } catch (error) {
    throw asOpeningError(error);
  }
}

async function migrateNow(location: DatabaseLocation, also: (database: Database) => Promise<void> = async () => {}) {
  const work = async () => {
    const database = await open(location);
    await also(database).finally(() => database.close());
  };
  if (location.databaseUrl === undefined) return await work();
  const { migratePostgres } = await import("./postgres.ts");
  await migratePostgres(location.databaseUrl, "auto", { wait: false, also: work });
}

/** For the two openers: a database of its queries. */
export function toDatabase(queries: Queries, connection: Connection, end: () => Promise<void>): Database {
  let ended: Promise<void> | undefined;
  return {
    queries,
    connection,
    close: () => ended ??= end(),
    schemaState: () => schemaState(queries),
    async check() {
      try {
        await queries.execute(sql`select 1`);
      } catch (error) {
        throw unavailable("the database does not answer", error);
      }
    },
  };
}

function asOpeningError(error: unknown): SottoError {
  return isSottoError(error) ? error : unavailable("cannot open the database", error);
}

function unavailable(what: string, cause: unknown): SottoError {
  return new SottoError("database_unavailable", `${what}: check DATABASE_URL or SOTTO_DATA_DIR`, { cause });
}
