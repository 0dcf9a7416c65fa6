import assert from "node:assert/strict";
import { join } from "node:path";
import { restoreBackup, writeBackup } from "../../backup/mod.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { run } from "../../cli/main.ts";
import { decryptAnswers, encryptRows, newKeys, openSecretKey, SottoClient } from "../../client/mod.ts";
import { readConfig } from "../../config.ts";
import { createTenant, inSnapshot, openDatabase, readTable, TABLES } from "../../db/mod.ts";
import { openStore } from "../../store/mod.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";
import { withPostgres } from "../support/postgres.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { until } from "../support/until.ts";

const backend = plainBackend();

/** A customer with a key pair, a model, an encrypted file, and the token of the first server. */
async function makeCustomer({ url, token }: ServerProcess) {
  const client = new SottoClient(url, token);
  const { secretFile, evaluationFile } = await newKeys(backend);
  const secret = await openSecretKey(backend, secretFile);
  const { id: key } = await client.registerKeys(evaluationFile);
  const imported = await client.importModel({
    file: await fixture("wdbc_xgb50x3.json"),
    format: "xgboost",
    name: "kept",
  });
  const { file } = await encryptRows(backend, secret, imported, await fixtureRows("wdbc_rows.csv", 4));
  const path = `/v1/models/${imported.id}/predictions?key=${key}`;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" };
  const send = (server: string, more: Record<string, string> = {}) =>
    fetch(server + path, { method: "POST", headers: { ...headers, ...more }, body: new Uint8Array(file) });
  const read = (answers: Uint8Array) => decryptAnswers(backend, secret, imported, answers);
  return { client, headers, send, read };
}
type Customer = Awaited<ReturnType<typeof makeCustomer>>;

/** What the customer reads in the answers, which are blinded anew every time. */
async function predict(customer: Customer, server: string): Promise<unknown> {
  const answer = await customer.send(server);
  assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
  return await customer.read(await answer.bytes());
}

async function submit(customer: Customer, server: string): Promise<string> {
  const answer = await customer.send(server, { prefer: "respond-async" });
  assert.equal(answer.status, 202, answer.ok ? "" : await answer.text());
  return (await answer.json()).id;
}

async function jobState({ headers }: Customer, server: string, id: string): Promise<string> {
  return (await (await fetch(`${server}/v1/jobs/${id}`, { headers })).json()).state;
}

async function jobAnswers({ headers, read }: Customer, server: string, id: string): Promise<unknown> {
  const answer = await fetch(`${server}/v1/jobs/${id}/answers`, { headers });
  assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
  return await read(await answer.bytes());
}

async function withFolders(count: number, work: (folders: string[]) => Promise<void>): Promise<void> {
  const folders = await Promise.all(Array.from({ length: count }, () => Deno.makeTempDir()));
  try {
    await work(folders);
  } finally {
    for (const folder of folders) await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the command line; its standard error. */
async function sotto(...args: string[]): Promise<string> {
  let text = "";
  const code = await run(args, { err: (part) => text += part, out: () => {} });
  assert.equal(code, 0, text);
  return text;
}

async function rowsOf(location: { dataDir: string; databaseUrl?: string }): Promise<Record<string, string[]>> {
  const database = await openDatabase(location);
  try {
    return await inSnapshot(database, async (inside) => {
      const tables: Record<string, string[]> = {};
      for (const table of TABLES) {
        tables[table] = (await Array.fromAsync(readTable(inside, table))).flat().sort();
      }
      return tables;
    });
  } finally {
    await database.close();
  }
}

Deno.test("a stopped server on the embedded database comes back from its backup: predictions, answers of jobs and waiting jobs", () =>
  withFolders(2, async ([files, target]) => {
    const source = await makeDataFolder();
    const first = await startServerProcess(source, { SOTTO_TEST_ROW_MS: "500" });
    const customer = await makeCustomer(first);
    const expected = await predict(customer, first.url);
    const done = await submit(customer, first.url);
    await until(async () => await jobState(customer, first.url, done) === "succeeded", 60);
    const waiting = await submit(customer, first.url);
    await until(async () => await jobState(customer, first.url, waiting) === "running", 60);
    await first.end("SIGKILL");
    const file = join(files, "backup.tar");
    assert.match(await sotto("backup", file, "--data", source, "--database-url", ""), /objects/);
    assert.equal((await Deno.stat(file)).mode! & 0o077, 0);
    await sotto("restore", file, "--data", target, "--database-url", "");
    const second = await startServerProcess(target);
    try {
      assert.deepEqual(await predict(customer, second.url), expected);
      assert.deepEqual(await jobAnswers(customer, second.url, done), expected);
      await until(async () => await jobState(customer, second.url, waiting) === "succeeded", 60);
      assert.deepEqual(await jobAnswers(customer, second.url, waiting), expected);
    } finally {
      await second.end("SIGTERM");
      await Deno.remove(source, { recursive: true });
    }
  }));

Deno.test("a server on PostgreSQL is backed up under load, and comes back on either database with every row and object", () =>
  withFolders(4, async ([files, source, other, embedded]) => {
    await withPostgres(async (databaseUrl) => {
      const server = await startServerProcess(source, { DATABASE_URL: databaseUrl });
      const customer = await makeCustomer(server);
      const expected = await predict(customer, server.url);
      let loading = true;
      const load = async () => {
        while (loading) {
          await predict(customer, server.url);
          const { evaluationFile } = await newKeys(backend);
          const keys = await customer.client.registerKeys(evaluationFile);
          await customer.client.deleteKeys(keys.id);
        }
      };
      const loads = [load(), load()];
      const file = join(files, "backup.tar");
      try {
        await sotto("backup", file, "--data", source, "--database-url", databaseUrl);
      } finally {
        loading = false;
        await Promise.all(loads);
        await server.end("SIGTERM");
      }
      await withPostgres(async (second) => {
        await sotto("restore", file, "--data", other, "--database-url", second);
        await sotto("restore", file, "--data", embedded, "--database-url", "");
        const places = [{ dataDir: other, databaseUrl: second }, { dataDir: embedded }];
        const [there, here] = [await rowsOf(places[0]), await rowsOf(places[1])];
        assert.deepEqual(there, here);
        assert.ok(there.tokens.length > 0 && there.audit.length > 0);
        for (const { dataDir, databaseUrl = "" } of places) {
          const restored = await startServerProcess(dataDir, { DATABASE_URL: databaseUrl });
          assert.deepEqual(await predict(customer, restored.url), expected);
          await restored.end("SIGTERM");
        }
      });
    });
  }));

Deno.test("a backup that was cut, changed or belongs to another place is refused and restores nothing", () =>
  withFolders(3, async ([files, source, target]) => {
    const open = async (dataDir: string) => {
      const config = readConfig({ SOTTO_DATA_DIR: dataDir });
      return { database: await openDatabase(config), store: await openStore(config), location: "objects" };
    };
    const from = await open(source);
    await createTenant(from.database, "kept");
    const file = join(files, "backup.tar");
    await writeBackup(file, { ...from, withObjects: true });
    await assert.rejects(writeBackup(file, { ...from, withObjects: true }), { code: "conflict" });
    const to = await open(target);
    const finish = () => Promise.resolve();
    const bytes = await Deno.readFile(file);
    const restoreChanged = async (change: (bytes: Uint8Array) => Uint8Array, code: string) => {
      const changed = join(files, crypto.randomUUID());
      await Deno.writeFile(changed, change(new Uint8Array(bytes)));
      await assert.rejects(restoreBackup(changed, { ...to, finish }), { code });
    };
    const replaced = (from: string, to: string) => (all: Uint8Array) =>
      Uint8Array.from(new TextDecoder("latin1").decode(all).replace(from, to), (char) => char.charCodeAt(0));
    await restoreChanged((all) => all.subarray(0, all.length / 2), "malformed_file");
    await restoreChanged(() => new Uint8Array(0), "malformed_file");
    await restoreChanged(replaced('"name":"kept"', '"name":"lost"'), "malformed_file");
    await restoreChanged(replaced('"schema": 1', '"schema": 9'), "schema_version_wrong");
    await assert.rejects(restoreBackup(join(files, "none"), { ...to, finish }), { code: "file_unreadable" });
    await assert.rejects(restoreBackup(file, { ...from, finish }), { code: "conflict" });
    const failing = () => Promise.reject(new Error("the queue is away"));
    await assert.rejects(restoreBackup(file, { ...to, finish: failing }), /queue is away/);
    await restoreBackup(file, { ...to, finish });
    for (const { database, store } of [from, to]) {
      await database.close();
      await store.close();
    }
    assert.deepEqual(await rowsOf({ dataDir: target }), await rowsOf({ dataDir: source }));
  }));
