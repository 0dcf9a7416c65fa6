import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { type Config, readConfig } from "../../config.ts";
import { createToken, findJob, findOrCreateTenant, listJobParts, openDatabase } from "../../db/mod.ts";
import { newKeys, openSecretKey, predictRows, SottoClient } from "../../client/mod.ts";
import { type RunningServer, startServer } from "../../main.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";
import { heldBackend } from "../support/held_backend.ts";
import { assertProblem } from "../support/problem.ts";
import { collect } from "../support/server.ts";
import { uploadsIn } from "../support/uploads.ts";
import { until } from "../support/until.ts";

interface Started {
  readonly server: RunningServer;
  readonly config: Config;
  readonly logged: string[];
  readonly headers: { authorization: string };
}

async function withRunning(work: (started: Started) => Promise<void>): Promise<void> {
  const dataDir = await makeDataFolder();
  const config = readConfig({ SOTTO_DATA_DIR: dataDir, SOTTO_PORT: "0" });
  const logged: string[] = [];
  const server = await startServer(config, plainBackend(), { allowInsecure: true, log: collect(logged) });
  const tenant = await findOrCreateTenant(server.database, "start");
  const { token } = await createToken(server.database, { tenant: tenant.id, scopes: ["admin"], days: 1 });
  try {
    await work({ server, config, logged, headers: { authorization: `Bearer ${token}` } });
  } finally {
    await server.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

const incoming = (config: Config) => uploadsIn(`${config.dataDir}/objects/tmp`);

Deno.test("a back end that encrypts nothing is refused unless it is admitted by name", async () => {
  await assert.rejects(startServer(readConfig({}), plainBackend()), {
    code: "insecure_parameter_set",
    message: /insecure-plain/,
  });
});

Deno.test("a folder serves one server at a time, a port too", () =>
  withRunning(async ({ config, server }) => {
    const options = { allowInsecure: true, log: collect([]) };
    await assert.rejects(startServer(config, plainBackend(), options), { code: "data_folder_locked" });
    const dataDir = await makeDataFolder();
    const taken = startServer({ ...config, dataDir, port: server.port }, plainBackend(), options);
    await assert.rejects(taken, { code: "configuration_invalid", message: /SOTTO_PORT/ });
    const free = await startServer({ ...config, dataDir }, plainBackend(), options);
    await free.stop();
    await Deno.remove(dataDir, { recursive: true });
  }));

Deno.test("stopping waits for the request that is running", () =>
  withRunning(async ({ server, config, headers }) => {
    const { evaluationFile } = await newKeys(plainBackend());
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const answer = fetch(`${server.url}/v1/keys`, { method: "POST", headers, body: readable });
    await writer.write(evaluationFile.slice(0, 1000));
    await until(() => incoming(config).length === 1);
    const stopped = server.stop();
    await writer.write(evaluationFile.slice(1000));
    await writer.close();
    const response = await answer;
    assert.equal(response.status, 201);
    await response.body?.cancel();
    await stopped;
    await assert.rejects(fetch(`${server.url}/healthz`));
  }));

Deno.test("a client that goes away in the middle of an upload is logged as cancelled and leaves nothing behind", () =>
  withRunning(async ({ server, config, headers, logged }) => {
    const abort = new AbortController();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answer = fetch(`${server.url}/v1/keys`, { method: "POST", headers, body: readable, signal: abort.signal });
    await writable.getWriter().write(new Uint8Array(1000));
    await until(() => incoming(config).length === 1);
    abort.abort();
    await assert.rejects(answer);
    await until(() => logged.some((line) => line.includes('"cancelled"')));
    assert.deepEqual(incoming(config), []);
    assert.equal(logged.some((line) => line.includes("internal")), false);
  }));

Deno.test("a body announced too large is refused over the network without being sent", () =>
  withRunning(async ({ server, headers }) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const head = `POST /v1/keys HTTP/1.1\r\nhost: x\r\nauthorization: ${headers.authorization}\r\n` +
      `content-length: 999999999999\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    const buffer = new Uint8Array(4096);
    const text = new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /"code":"body_too_large"/);
  }));

Deno.test("problems arrive over the network as in memory", () =>
  withRunning(async ({ server }) => {
    await assertProblem(await fetch(`${server.url}/nothing`), "route_unknown");
    await assertProblem(await fetch(`${server.url}/v1/keys`), "token_missing");
  }));

Deno.test("stopping gives the jobs back to the queue and ends their events", async () => {
  const held = heldBackend();
  const dataDir = await makeDataFolder();
  const config = readConfig({
    SOTTO_DATA_DIR: dataDir,
    SOTTO_PORT: "0",
    SOTTO_SYNCHRONOUS_SECONDS: "0",
    SOTTO_DRAIN_SECONDS: "0",
  });
  const logged: string[] = [];
  const server = await startServer(config, held.backend, { allowInsecure: true, log: collect(logged) });
  const tenant = await findOrCreateTenant(server.database, "start");
  const { token } = await createToken(server.database, { tenant: tenant.id, scopes: ["admin"], days: 1 });
  const client = new SottoClient(server.url, token);
  const made = await newKeys(held.backend);
  await client.registerKeys(made.evaluationFile);
  using secret = await openSecretKey(held.backend, made.secretFile);
  const model = await client.importModel({ name: "m", format: "xgboost", file: await fixture("wdbc_xgb50x3.json") });
  const rows = await fixtureRows("wdbc_rows.csv", 2);
  const predicted = assert.rejects(predictRows(client, held.backend, secret, model, rows), /stopp|no answer/);
  await until(() => held.waiting() === 1);
  const line = logged.find((line) => line.includes("part started"));
  const headers = { authorization: `Bearer ${token}` };
  const { job } = JSON.parse(line!);
  const events = await fetch(`${server.url}/v1/jobs/${job}/events`, { headers });
  const text = events.text();
  await server.stop();
  assert.equal(held.waiting(), 0);
  assert.match(await text, /"state":"running"/);
  await predicted;
  const database = await openDatabase(config);
  assert.equal((await findJob(database, tenant.id, job))?.state, "running");
  const parts = await listJobParts(database, job);
  assert.deepEqual(parts.map(({ state, attempts }) => [state, attempts]), [["queued", 0]]);
  await database.close();
  await Deno.remove(dataDir, { recursive: true });
});
