import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { batchesOf, type TrainingSpec } from "../../circuits/training/mod.ts";
import {
  followTraining,
  newKeys,
  type OpenSecretKey,
  openSecretKey,
  sendBatches,
  serverFile,
  SottoClient,
} from "../../client/mod.ts";
import { decodeTrainingFile } from "../../circuits/training_file.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { giveKeys, makeData, SPEC } from "./training_support.ts";

const STEPS = 30;
const spec: TrainingSpec = { ...SPEC, steps: STEPS };
const backend = plainBackend();

async function makeReady(client: SottoClient, url: string, secret: OpenSecretKey): Promise<string> {
  const data = makeData(14);
  const batchCount = batchesOf(spec, data.rows.length).length;
  const { id } = await client.training.create({ name: "killed", spec, batchCount, checkpointEvery: 3 });
  await giveKeys(client.training, backend, id, secret);
  const { token } = await client.training.addOwner(id, { name: "all", kind: "rows" });
  const owner = new SottoClient(url, token).training;
  await sendBatches(owner, backend, { secretKey: secret.key }, await owner.public(id), data);
  return id;
}

async function stateBytes(client: SottoClient, id: string): Promise<Uint8Array> {
  const expected = { kind: "training_weights", parameterSet: backend.parameterSet } as const;
  return decodeTrainingFile(await client.training.weights(id), expected).payload;
}

Deno.test("a training that is killed twice goes on by itself and ends with the bytes of one that was not", async () => {
  const dataDir = await makeDataFolder();
  const start = (): Promise<ServerProcess> => startServerProcess(dataDir, { SOTTO_TEST_STEP_MS: "60" });
  let server = await start();
  const { token } = server;
  const secret = await openSecretKey(backend, (await newKeys(backend, { capabilities: [] })).secretFile);
  let client = new SottoClient(server.url, token);
  await client.registerKeys(await serverFile(backend, secret, "lookup3"));
  const id = await makeReady(client, server.url, secret);
  await client.training.run(id);
  for (const step of [STEPS / 4, STEPS / 2]) {
    await until(async () => (await client.training.get(id)).step >= step);
    assert.equal((await client.training.get(id)).state, "running");
    await server.end("SIGKILL");
    server = await start();
    client = new SottoClient(server.url, token);
  }
  assert.equal((await followTraining(client.training, id)).state, "trained");
  const other = await makeReady(client, server.url, secret);
  await client.training.run(other);
  assert.equal((await followTraining(client.training, other)).state, "trained");
  assert.deepEqual(await stateBytes(client, id), await stateBytes(client, other));
  assert.equal((await server.end("SIGTERM")).code, 0);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a training that was interrupted waits for its owner when the configuration says so", async () => {
  const dataDir = await makeDataFolder();
  const environment = { SOTTO_TEST_STEP_MS: "60", SOTTO_RESUME_TRAINING: "false" };
  let server = await startServerProcess(dataDir, environment);
  const { token } = server;
  const secret = await openSecretKey(backend, (await newKeys(backend, { capabilities: [] })).secretFile);
  let client = new SottoClient(server.url, token);
  await client.registerKeys(await serverFile(backend, secret, "lookup3"));
  const id = await makeReady(client, server.url, secret);
  await client.training.run(id);
  await until(async () => (await client.training.get(id)).step >= 4);
  assert.equal((await server.end("SIGTERM")).code, 0);
  server = await startServerProcess(dataDir, environment);
  client = new SottoClient(server.url, token);
  const found = await client.training.get(id);
  assert.equal(found.state, "interrupted");
  assert.ok(found.step >= 4 && found.step < STEPS, "a stop saves the last step");
  await client.training.resume(id);
  const paused = await client.training.pause(id);
  assert.equal(paused.state, "paused");
  await client.training.resume(id);
  assert.equal((await followTraining(client.training, id)).state, "trained");
  await server.end("SIGTERM");
  await Deno.remove(dataDir, { recursive: true });
});
