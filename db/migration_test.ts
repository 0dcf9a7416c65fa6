import assert from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listEvaluationKeys, openDatabase } from "./mod.ts";

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
