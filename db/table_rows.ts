/** Whole tables as JSON, for backups: PostgreSQL itself writes and reads the rows, so every type comes back as it was. */
import { getTableName, is, sql } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import type { Database } from "./database.ts";
import { rawRows } from "./raw_rows.ts";
import * as schema from "./schema.ts";

/** Rows that are fetched at a time. */
const BATCH_ROWS = 500;

/** The names of all tables; one comes after those that its foreign keys name. */
export const TABLES: readonly string[] = inOrder(Object.values(schema).filter((part) => is(part, PgTable)));

function inOrder(tables: readonly PgTable[]): string[] {
  const order: string[] = [];
  const add = (table: PgTable) => {
    const name = getTableName(table);
    if (order.includes(name)) return;
    for (const { reference } of getTableConfig(table).foreignKeys) {
      const { foreignTable } = reference();
      if (foreignTable !== table) add(foreignTable);
    }
    order.push(name);
  };
  tables.forEach(add);
  return order;
}

/** Runs `work` on one unchanging state of the database, while others write. */
export function inSnapshot<T>(database: Database, work: (inside: Database) => Promise<T>): Promise<T> {
  return database.queries.transaction((queries) => work({ ...database, queries }), {
    isolationLevel: "repeatable read",
    accessMode: "read only",
  });
}

/** The rows of a table, each as one line of JSON, in batches. Inside a transaction only. */
export async function* readTable({ queries }: Database, table: string): AsyncGenerator<string[]> {
  const name = sql.identifier(table);
  await queries.execute(sql`declare backup_rows no scroll cursor for select to_json(t)::text as row from ${name} t`);
  for (;;) {
    const batch = await rawRows(queries, sql`fetch ${sql.raw(String(BATCH_ROWS))} from backup_rows`);
    if (batch.length === 0) break;
    yield batch.map(({ row }) => String(row));
  }
  await queries.execute(sql`close backup_rows`);
}

/** Adds rows that `readTable` gave. */
export async function writeRows({ queries }: Database, table: string, rows: readonly string[]): Promise<void> {
  const name = sql.identifier(table);
  await queries.execute(
    sql`insert into ${name} overriding system value
      select * from jsonb_populate_recordset(null::${name}, ${`[${rows.join(",")}]`}::jsonb)`,
  );
}

/** Lets the counters of a table go on after its last row. */
export async function advanceCounters({ queries }: Database, table: string): Promise<void> {
  const found = await rawRows(
    queries,
    sql`select column_name as name from information_schema.columns where table_name = ${table} and is_identity = 'YES'`,
  );
  for (const { name } of found) {
    const [column, from] = [sql.identifier(String(name)), sql.identifier(table)];
    await queries.execute(
      sql`select setval(pg_get_serial_sequence(${table}, ${name}), (select coalesce(max(${column}), 0) + 1 from ${from}), false)`,
    );
  }
}

/** True when no table has a row. */
export async function isEmptyDatabase({ queries }: Database): Promise<boolean> {
  for (const table of TABLES) {
    if ((await rawRows(queries, sql`select 1 from ${sql.identifier(table)} limit 1`)).length > 0) return false;
  }
  return true;
}
