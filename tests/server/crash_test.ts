import assert from "node:assert/strict";
import { join } from "node:path";
import { plainBackend } from "../../circuits/plain.ts";
import { decodeFile } from "../../circuits/wire.ts";
import { newKeys } from "../../client/keys.ts";
import { type Database, findModel, listEvaluationKeys, listModels, openDatabase } from "../../db/mod.ts";
import { openFileStore } from "../../store/mod.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { fixture, withHeader } from "../support/fixtures.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";

const ROUNDS = 6;

/** Ids that the server acknowledged, over all rounds. */
interface Acknowledged {
  readonly keys: Set<string>;
  readonly models: Set<string>;
}

Deno.test("after kill -9 during uploads and imports everything acknowledged is there and nothing is half there", async () => {
  const dataDir = await makeDataFolder();
  const acknowledged: Acknowledged = { keys: new Set(), models: new Set() };
  const uploads = await makeUploads();
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServerProcess(dataDir);
    const work = [uploadUntilKilled(server, uploads, acknowledged), importUntilKilled(server, acknowledged, round)];
    await acknowledgedMore(acknowledged);
    await new Promise((resolve) => setTimeout(resolve, 37 * round));
    await server.end("SIGKILL");
    await Promise.all(work);
    await checkFolder(dataDir, server.tenant, acknowledged);
  }
  assert.ok(acknowledged.keys.size >= ROUNDS && acknowledged.models.size >= ROUNDS);
  await checkRestart(dataDir, acknowledged);
  await Deno.remove(dataDir, { recursive: true });
});

/** Waits until a key file and a model have been acknowledged from now on. */
async function acknowledgedMore({ keys, models }: Acknowledged): Promise<void> {
  const [keyCount, modelCount] = [keys.size, models.size];
  while (keys.size === keyCount || models.size === modelCount) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function makeUploads(): Promise<() => Uint8Array<ArrayBuffer>> {
  const { evaluationFile } = await newKeys(plainBackend());
  return () => withHeader(evaluationFile, { keyId: crypto.getRandomValues(new Uint8Array(32)) });
}

async function uploadUntilKilled(server: ServerProcess, next: () => Uint8Array<ArrayBuffer>, { keys }: Acknowledged) {
  for (;;) {
    const file = next();
    if (await send(server, "/v1/keys", file) === undefined) return;
    keys.add(decodeFile(file).digest);
  }
}

/** The same model with more spaces behind it is another model to the server. */
async function importUntilKilled(server: ServerProcess, { models }: Acknowledged, round: number) {
  const text = new TextDecoder().decode(await fixture("wdbc_xgb_pruned.json"));
  for (let spaces = 0;; spaces++) {
    const file = new TextEncoder().encode(text + " ".repeat(1 + round * 1000 + spaces));
    const id = await send(server, "/v1/models?name=crash&format=xgboost", file);
    if (id === undefined) return;
    models.add(id);
  }
}

/** The id that was acknowledged; nothing when the server was killed before it could. */
async function send(server: ServerProcess, path: string, body: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(server.url + path, { method: "POST", headers: authorization(server), body });
    text = await answer.text();
  } catch {
    return undefined;
  }
  assert.ok(answer.ok, text);
  return JSON.parse(text).id;
}

const authorization = ({ token }: ServerProcess) => ({ authorization: `Bearer ${token}` });

async function checkFolder(dataDir: string, tenant: string, acknowledged: Acknowledged): Promise<void> {
  const database = await openDatabase({ dataDir });
  const store = await openFileStore(join(dataDir, "objects"));
  try {
    const keys = await listEvaluationKeys(database, tenant);
    const models = await listModels(database, tenant);
    for (const { objectDigest, bytes } of keys) assert.equal((await store.get(objectDigest)).length, bytes);
    for (const { id } of models) assert.ok((await store.get(await objectOf(database, tenant, id))).length > 0);
    assertContains(keys.map(({ digest }) => digest), acknowledged.keys);
    assertContains(models.map(({ id }) => id), acknowledged.models);
  } finally {
    await store.close();
    await database.close();
  }
}

async function objectOf(database: Database, tenant: string, id: string): Promise<string> {
  return (await findModel(database, tenant, id))!.objectDigest;
}

function assertContains(found: readonly string[], wanted: Set<string>): void {
  assert.deepEqual([...wanted].filter((id) => !found.includes(id)), []);
}

async function checkRestart(dataDir: string, acknowledged: Acknowledged): Promise<void> {
  const server = await startServerProcess(dataDir);
  const list = async (path: string) =>
    await (await fetch(server.url + path, { headers: authorization(server) })).json();
  const { keys }: { keys: { id: string }[] } = await list("/v1/keys");
  const { models }: { models: { id: string }[] } = await list("/v1/models");
  assertContains(keys.map(({ id }) => id), acknowledged.keys);
  assertContains(models.map(({ id }) => id), acknowledged.models);
  assert.equal((await server.end("SIGTERM")).code, 0);
}
