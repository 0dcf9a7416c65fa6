import assert from "node:assert/strict";
import { join } from "node:path";
import { withPostgres } from "../tests/support/postgres.ts";
import { databaseSuite } from "./database_suite.ts";
import { asDatabaseError, createTenant, type Database, listTenants, lockFolder, openDatabase } from "./mod.ts";

async function withFolder(work: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  try {
    await work(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function runSuite(t: Deno.TestContext, location: { dataDir: string; databaseUrl?: string }): Promise<void> {
  const database = await openDatabase(location);
  try {
    for (const [sentence, run] of Object.entries(databaseSuite)) await t.step(sentence, () => run(database));
  } finally {
    await database.close();
  }
}

Deno.test("the queries hold on the embedded database", (t) => withFolder((dataDir) => runSuite(t, { dataDir })));

Deno.test("the queries hold on a PostgreSQL server, also when it was migrated before", (t) =>
  withFolder((dataDir) =>
    withPostgres(async (databaseUrl) => {
      const both = await Promise.all([1, 2].map(() => openDatabase({ dataDir, databaseUrl })));
      for (const database of both) await database.close();
      await runSuite(t, { dataDir, databaseUrl });
    })
  ));

Deno.test("the embedded database keeps its rows and admits one opener at a time", () =>
  withFolder(async (dataDir) => {
    const first = await openDatabase({ dataDir });
    await createTenant(first, "kept");
    await assert.rejects(openDatabase({ dataDir }), {
      code: "data_folder_locked",
      message: new RegExp(`process ${Deno.pid}`),
    });
    await first.close();
    const second = await openDatabase({ dataDir });
    await assert.rejects(createTenant(second, "kept"), { code: "conflict" });
    await second.close();
  }));

Deno.test("a PostgreSQL server that does not answer is database_unavailable", () =>
  withFolder(async (dataDir) => {
    const databaseUrl = "postgres://sotto@127.0.0.1:1/none";
    await assert.rejects(openDatabase({ dataDir, databaseUrl }), { code: "database_unavailable" });
  }));

Deno.test("a PostgreSQL server that goes away is database_unavailable to queries, too", () =>
  withFolder(async (dataDir) => {
    let database: Database | undefined;
    await withPostgres(async (databaseUrl) => {
      database = await openDatabase({ dataDir, databaseUrl });
    });
    await assert.rejects(database!.check(), { code: "database_unavailable" });
    const error = await listTenants(database!).then(() => undefined, (error) => error);
    assert.equal(asDatabaseError(error)?.code, "database_unavailable");
    assert.equal(asDatabaseError(new Error("another")), undefined);
    await database!.close();
  }));

Deno.test("the lock of a process that was killed is taken over", () =>
  withFolder(async (dataDir) => {
    const folder = join(dataDir, "pglite");
    const script = `import { lockFolder } from "${new URL("./mod.ts", import.meta.url)}";
      await lockFolder(${JSON.stringify(folder)}); console.log("locked"); setInterval(() => {}, 1000);`;
    const holder = new Deno.Command(Deno.execPath(), { args: ["run", "-A", "-"], stdin: "piped", stdout: "piped" })
      .spawn();
    const input = holder.stdin.getWriter();
    await input.write(new TextEncoder().encode(script));
    await input.close();
    const output = holder.stdout.getReader();
    await output.read();
    await assert.rejects(lockFolder(folder), {
      code: "data_folder_locked",
      message: new RegExp(`process ${holder.pid}`),
    });
    holder.kill("SIGKILL");
    await holder.status;
    await output.cancel();
    (await lockFolder(folder)).release();
  }));
