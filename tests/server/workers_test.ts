import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { decryptAnswers, encryptRows, newKeys, openSecretKey, SottoClient } from "../../client/mod.ts";
import { type Database, listJobParts, openDatabase } from "../../db/mod.ts";
import { evaluate, importModel, predict } from "../../models/mod.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";
import { withPostgres } from "../support/postgres.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker_process.ts";

const MODEL = "wdbc_xgb50x3.json";
const ROWS = 24;
const backend = plainBackend();

/** A server that computes no jobs itself, on a PostgreSQL of its own, and a client with a model, keys and rows. */
interface Fleet {
  readonly server: ServerProcess;
  readonly database: Database;
  readonly environment: Record<string, string>;
  readonly startWorker: () => Promise<WorkerProcess>;
  readonly submit: () => Promise<string>;
  readonly call: (path: string, method?: string) => Promise<Response>;
  readonly show: (id: string) => Promise<{ state: string; parts: { done: number; total: number }; attempts: number }>;
  readonly ended: (id: string) => Promise<void>;
  /** The labels that the answers of a job decrypt to, checked to be the same bytes twice. */
  readonly labels: (id: string) => Promise<unknown[]>;
  readonly expected: unknown[];
}

async function withFleet(work: (fleet: Fleet) => Promise<void>): Promise<void> {
  await withPostgres(async (databaseUrl) => {
    const dataDir = await Deno.makeTempDir();
    const environment = { DATABASE_URL: databaseUrl, SOTTO_PART_ROWS: "3", SOTTO_TEST_ROW_MS: "60" };
    const server = await startServerProcess(dataDir, { ...environment, SOTTO_WORKER: "false" });
    const database = await openDatabase({ dataDir, databaseUrl });
    const workers: WorkerProcess[] = [];
    const startWorker = async () => {
      const worker = await startWorkerProcess(dataDir, environment);
      workers.push(worker);
      return worker;
    };
    try {
      await work({ server, database, environment, startWorker, ...await makeClient(server) });
    } finally {
      for (const worker of workers) await worker.end("SIGKILL").catch(() => undefined);
      await server.end("SIGKILL");
      await database.close();
      await Deno.remove(dataDir, { recursive: true });
    }
  });
}

async function makeClient({ url, token }: ServerProcess) {
  const client = new SottoClient(url, token);
  const { secretFile, evaluationFile } = await newKeys(backend);
  const keys = await client.registerKeys(evaluationFile);
  const secret = await openSecretKey(backend, secretFile);
  const model = await client.importModel({ name: "m", format: "xgboost", file: await fixture(MODEL) });
  const rows = await fixtureRows("wdbc_rows.csv", ROWS);
  const { file } = await encryptRows(backend, secret, model, rows);
  const call = (path: string, method = "GET") => {
    return fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } });
  };
  const submit = async () => {
    const headers = { authorization: `Bearer ${token}`, prefer: "respond-async" };
    const path = `/v1/models/${model.id}/predictions?key=${keys.id}`;
    const answer = await fetch(url + path, { method: "POST", headers, body: new Uint8Array(file) });
    assert.equal(answer.status, 202, await answer.clone().text());
    return (await answer.json()).id as string;
  };
  const show = async (id: string) => await (await call(`/v1/jobs/${id}`)).json();
  const ended = (id: string) => until(async () => !["queued", "running"].includes((await show(id)).state), 60);
  const labels = async (id: string) => {
    const bytes = await (await call(`/v1/jobs/${id}/answers`)).bytes();
    assert.deepEqual(await (await call(`/v1/jobs/${id}/answers`)).bytes(), bytes);
    return (await decryptAnswers(backend, secret, model, bytes)).map(({ label }) => label);
  };
  const clear = importModel("xgboost", await fixture(MODEL), { bins: { kind: "model" } });
  const expected = rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label);
  return { call, submit, show, ended, labels, expected };
}

Deno.test("two workers share a job, and its answers are those of its rows in order", () =>
  withFleet(async ({ database, startWorker, submit, show, ended, labels, expected }) => {
    const id = await submit();
    assert.deepEqual((await show(id)).parts, { done: 0, total: ROWS / 3 });
    await Promise.all([startWorker(), startWorker()]);
    await ended(id);
    assert.equal((await show(id)).state, "succeeded");
    assert.deepEqual(await labels(id), expected);
    const parts = await listJobParts(database, id);
    assert.equal(new Set(parts.map(({ workerId }) => workerId)).size, 2);
    assert.ok(parts.every(({ attempts, inputObject }) => attempts === 1 && inputObject === null));
  }));

Deno.test("the parts of a killed worker go to another one, and nothing is lost", () =>
  withFleet(async ({ database, startWorker, submit, show, ended, labels, expected }) => {
    const id = await submit();
    const first = await startWorker();
    await until(async () => (await listJobParts(database, id, ["running"])).some(({ number }) => number > 0));
    await first.end("SIGKILL");
    await startWorker();
    await ended(id);
    const job = await show(id);
    assert.deepEqual([job.state, job.attempts], ["succeeded", 2]);
    assert.deepEqual(await labels(id), expected);
  }));

Deno.test("a worker that is told to stop hands its part back at once", () =>
  withFleet(async ({ startWorker, submit, show, ended, labels, expected, environment }) => {
    environment.SOTTO_DRAIN_SECONDS = "0";
    const id = await submit();
    const first = await startWorker();
    await until(async () => (await show(id)).parts.done >= 1);
    assert.equal((await first.end("SIGTERM")).code, 0);
    const handed = await show(id);
    assert.ok(handed.parts.done < ROWS / 3);
    assert.ok(handed.attempts <= 1, "a handed back part has not failed");
    await startWorker();
    await ended(id);
    assert.deepEqual(await labels(id), expected);
    assert.equal((await show(id)).attempts, 1);
  }));

Deno.test("a job is cancelled across processes, computing parts included", () =>
  withFleet(async ({ startWorker, submit, show, call }) => {
    const id = await submit();
    await startWorker();
    await until(async () => (await show(id)).state === "running");
    assert.equal((await call(`/v1/jobs/${id}`, "DELETE")).status, 204);
    assert.equal((await show(id)).state, "cancelled");
  }));
