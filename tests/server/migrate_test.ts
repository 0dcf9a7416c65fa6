import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../../db/mod.ts";
import { withPostgres } from "../support/postgres.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

async function runMain(command: string, environment: Record<string, string>) {
  const args = ["run", "-A", "--no-check", MAIN, command];
  const env = { SOTTO_LOG_LEVEL: "error", ...environment };
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env, stdout: "null", stderr: "piped" })
    .output();
  return { code, text: new TextDecoder().decode(stderr) };
}

Deno.test("migrations that run at once do not collide: each succeeds or is refused, and the database is whole", () =>
  withPostgres(async (databaseUrl) => {
    const environment = { DATABASE_URL: databaseUrl };
    const ends = await Promise.all([1, 2].map(() => runMain("migrate", environment)));
    for (const { code, text } of ends) assert.ok(code === 0 || text.includes("migration_running"), text);
    assert.ok(ends.some(({ code }) => code === 0));
    const database = await openDatabase({ dataDir: ".", databaseUrl, migrate: "never" });
    const queues = await database.queries.execute("select count(*)::int as count from pgboss.queue");
    assert.ok(Number((queues as unknown as { rows: { count: number }[] }).rows[0].count) > 0);
    await database.close();
    assert.deepEqual(await runMain("migrate", environment), { code: 0, text: "" });
  }));

Deno.test("a server that may not migrate refuses an empty PostgreSQL and says what to do", () =>
  withPostgres(async (databaseUrl) => {
    const dataDir = await Deno.makeTempDir();
    const environment = { DATABASE_URL: databaseUrl, SOTTO_DATA_DIR: dataDir, SOTTO_PORT: "0", SOTTO_MIGRATE: "never" };
    for (const command of ["serve", "worker"]) {
      const { code, text } = await runMain(command, { ...environment, SOTTO_BACKEND: "portable" });
      assert.equal(code, 1);
      assert.match(text, /sotto migrate.*schema_version_wrong/);
    }
    await Deno.remove(dataDir, { recursive: true });
  }));
