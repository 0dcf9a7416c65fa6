/** Opens the database: PostgreSQL by address, or the embedded one (PGlite) in the data folder. Same schema, same queries. */
import { PGlite } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { migrate as migratePglite } from "drizzle-orm/pglite/migrator";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { migrate as migratePostgres } from "drizzle-orm/postgres-js/migrator";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { isSottoError, SottoError } from "../errors.ts";
import { type FolderLock, lockFolder } from "./folder_lock.ts";
import * as schema from "./schema.ts";

const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));
/** Any constant: names the lock under which one process at a time migrates a shared PostgreSQL. */
const MIGRATION_LOCK = 5_361_774;

/** What the queries need: the same for both databases. */
export type Queries = PgDatabase<PgQueryResultHKT, typeof schema>;

/** An open, migrated database. */
export interface Database {
  readonly queries: Queries;
  /** Throws `database_unavailable` when it does not answer. */
  check(): Promise<void>;
  /** Closing twice is allowed. */
  close(): Promise<void>;
}

/** Where the database is: an address, or the folder that holds the embedded one in `pglite`. */
export interface DatabaseLocation {
  readonly databaseUrl?: string;
  readonly dataDir: string;
}

/** Opens and migrates. Throws `data_folder_locked` or `database_unavailable`. */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  try {
    return location.databaseUrl === undefined
      ? await openEmbedded(join(location.dataDir, "pglite"))
      : await openServer(location.databaseUrl);
  } catch (error) {
    throw isSottoError(error) ? error : unavailable("cannot open the database", error);
  }
}

async function openEmbedded(folder: string): Promise<Database> {
  const lock = await lockFolder(folder);
  try {
    return await startEmbedded(folder, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startEmbedded(folder: string, lock: FolderLock): Promise<Database> {
  const client = await PGlite.create(folder);
  const queries = drizzlePglite(client, { schema });
  await migratePglite(queries, { migrationsFolder: MIGRATIONS });
  return database(queries as unknown as Queries, async () => {
    await client.close();
    lock.release();
  });
}

async function openServer(url: string): Promise<Database> {
  const client = postgres(url, { max: 10, onnotice: () => {}, connect_timeout: 10 });
  try {
    await migrateServer(url);
  } catch (error) {
    await client.end({ timeout: 1 });
    throw error;
  }
  const queries = drizzlePostgres(client, { schema });
  return database(queries as unknown as Queries, () => client.end({ timeout: 5 }));
}

/** On one connection, because the advisory lock belongs to it. */
async function migrateServer(url: string): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migratePostgres(drizzlePostgres(client), { migrationsFolder: MIGRATIONS });
  } finally {
    await client.end({ timeout: 5 });
  }
}

function database(queries: Queries, end: () => Promise<void>): Database {
  let ended: Promise<void> | undefined;
  return {
    queries,
    close: () => ended ??= end(),
    async check() {
      try {
        await queries.execute(sql`select 1`);
      } catch (error) {
        throw unavailable("the database does not answer", error);
      }
    },
  };
}

function unavailable(what: string, cause: unknown): SottoError {
  return new SottoError("database_unavailable", `${what}: check DATABASE_URL or SOTTO_DATA_DIR`, { cause });
}
