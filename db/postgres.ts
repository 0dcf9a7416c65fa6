/** A PostgreSQL server by its address. */
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { hostname } from "node:os";
// @ts-types="@types/pg"
import type { PoolClient } from "pg";
import { ConnectionPool } from "./connection_pool.ts";
import { SottoError } from "../errors.ts";
import { type Database, type Queries, toDatabase } from "./database.ts";
import { type MigrateMode, MIGRATIONS, mustMigrate, schemaState } from "./migrations.ts";
import * as schema from "./schema.ts";

/** Any constant: names the lock under which one process at a time migrates. */
const MIGRATION_LOCK = 5_361_774;
const [SECONDS_TO_CONNECT, SECONDS_IDLE] = [10, 60];

/** What the connections of this process are called in `pg_stat_activity`. */
const APPLICATION_NAME = `sotto ${hostname()} ${Deno.pid}`.slice(0, 63);

/** Opens a pool of so many connections. Throws `schema_version_wrong`, or the driver's error when the server does not answer. */
export async function openPostgres(url: string, mode: MigrateMode, connections: number): Promise<Database> {
  const pool = connect(url, connections);
  const queries = drizzle(pool, { schema }) as unknown as Queries;
  try {
    if (mustMigrate(await schemaState(queries), mode)) await migratePostgres(url, mode, { wait: true });
  } catch (error) {
    await pool.end();
    throw error;
  }
  return toDatabase(queries, { kind: "server", url, pool }, () => pool.end());
}

function connect(url: string, max: number): ConnectionPool {
  return new ConnectionPool({
    connectionString: url,
    max,
    connectionTimeoutMillis: SECONDS_TO_CONNECT * 1000,
    idleTimeoutMillis: SECONDS_IDLE * 1000,
    keepAlive: true,
    application_name: APPLICATION_NAME,
  });
}

/** What `migratePostgres` does while another process migrates, and what else is to happen under the lock. */
export interface MigrationOptions {
  /** Wait for the other process; `migration_running` otherwise. */
  readonly wait: boolean;
  /** Further work under the same lock, after the tables. */
  readonly also?: () => Promise<void>;
}

/**
 * Migrates under an advisory lock, which belongs to one connection and ends with it; nothing happens when the database fits.
 * Throws `schema_version_wrong` or `migration_running`.
 */
export async function migratePostgres(url: string, mode: MigrateMode, options: MigrationOptions): Promise<void> {
  const pool = connect(url, 1);
  try {
    const client = await pool.connect();
    try {
      await takeLock(client, options.wait);
      const server = drizzle(client, { schema });
      if (mustMigrate(await schemaState(server as unknown as Queries), mode)) {
        await migrate(server, { migrationsFolder: MIGRATIONS });
      }
      await options.also?.();
    } finally {
      client.release(true);
    }
  } finally {
    await pool.end();
  }
}

async function takeLock(client: PoolClient, wait: boolean): Promise<void> {
  if (wait) return void await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
  const { rows: [{ taken }] } = await client.query("select pg_try_advisory_lock($1) as taken", [MIGRATION_LOCK]);
  if (taken) return;
  throw new SottoError("migration_running", "another process is migrating this database: run it again when it is done");
}
