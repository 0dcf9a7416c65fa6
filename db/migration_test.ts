import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drizzle as drizzlePostgres } from "drizzle-orm/node-postgres";
import { migrate as migratePostgres } from "drizzle-orm/node-postgres/migrator";
import { withPostgres } from "../tests/support/postgres.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { listEvaluationKeys, migrateDatabase, openDatabase } from "./mod.ts";

const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));
const TENANT = "3f2a5c1e-0000-4000-8000-000000000001";

/** The first migrations only, as an older version had them. */
async function oldMigrations(folder: string, count: number): Promise<string> {
  const old = join(folder, "old");
  await cp(MIGRATIONS, old, { recursive: true });
  const path = join(old, "meta", "_journal.json");
  const journal = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  return old;
}

Deno.test("keys that were registered before capabilities are evaluation keys", async () => {
  const dataDir = await Deno.makeTempDir();
  const folder = join(dataDir, "pglite");
  await mkdir(folder);
  const client = await PGlite.create(folder);
  await migrate(drizzle(client), { migrationsFolder: await oldMigrations(dataDir, 1) });
  await client.query(`insert into tenants values ('${TENANT}', 'old', now())`);
  await client.query(
    `insert into evaluation_keys values ('${TENANT}', 'd', 'o', 'k', 'ring-2048-q50', 1, now(), now() + interval '1 day')`,
  );
  await client.close();
  const database = await openDatabase({ dataDir });
  assert.deepEqual((await listEvaluationKeys(database, TENANT)).map(({ capability }) => capability), ["pack"]);
  await database.close();
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("an older PostgreSQL is refused until it is migrated, or when asked to migrate by itself", () =>
  withPostgres(async (databaseUrl) => {
    const dataDir = await Deno.makeTempDir();
    const client = new ConnectionPool({ connectionString: databaseUrl, max: 1 });
    await migratePostgres(drizzlePostgres(client), { migrationsFolder: await oldMigrations(dataDir, 2) });
    const location = { dataDir, databaseUrl };
    const refused = { code: "schema_version_wrong", message: /older version.*sotto migrate/ };
    await assert.rejects(openDatabase(location), refused);
    await assert.rejects(openDatabase({ ...location, migrate: "never" }), refused);
    const database = await openDatabase({ ...location, migrate: "auto" });
    assert.equal(await database.schemaState(), "current");
    await client.query("insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 99999999999999)");
    assert.equal(await database.schemaState(), "newer");
    await database.close();
    const newer = { code: "schema_version_wrong", message: /newer version of Sotto/ };
    await assert.rejects(openDatabase({ ...location, migrate: "auto" }), newer);
    await assert.rejects(migrateDatabase(location), newer);
    await client.end();
    await Deno.remove(dataDir, { recursive: true });
  }));

Deno.test("an empty PostgreSQL is set up by whoever opens it, unless that is forbidden", () =>
  withPostgres(async (databaseUrl) => {
    const location = { dataDir: ".", databaseUrl };
    await assert.rejects(openDatabase({ ...location, migrate: "never" }), { code: "schema_version_wrong" });
    const database = await openDatabase(location);
    assert.equal(await database.schemaState(), "current");
    await database.close();
  }));

Deno.test("a migration is refused while another one runs, and what else belongs to it runs under its lock", () =>
  withPostgres(async (databaseUrl) => {
    const location = { dataDir: ".", databaseUrl };
    let runs = 0;
    await migrateDatabase(location, async (database) => {
      runs++;
      assert.equal(await database.schemaState(), "current");
      await assert.rejects(migrateDatabase(location), { code: "migration_running" });
    });
    await migrateDatabase(location, () => Promise.resolve(void runs++));
    assert.equal(runs, 2);
  }));
