import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { decodeFile, fileWriter, HEADER_BYTES } from "../../circuits/wire.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { newKeys, openSecretKey } from "../../client/keys.ts";
import { importModel } from "../../models/mod.ts";
import { planModel } from "../../jobs/mod.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { fixture, fixtureRows, type ImportedModel } from "../support/fixtures.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";

const ROWS = 10_000;
const CHUNK_ROWS = 100;
const MEBIBYTE = 1024 * 1024;

Deno.test("10,000 rows of 10 kB stream through the server in a fraction of their size", async () => {
  const dataDir = await makeDataFolder();
  const { model, row, keys, answerBytes } = await makeClient();
  const server = await startServerProcess(dataDir, { SOTTO_TEST_ANSWER_BYTES: String(answerBytes) });
  try {
    const imported: ImportedModel = await post(server, "/v1/models?name=m&format=xgboost", model);
    const { id } = await post(server, "/v1/keys", keys);
    const before = peakBytes(server);
    const path = `/v1/models/${imported.id}/predictions?key=${id}`;
    const answer = await fetch(server.url + path, {
      method: "POST",
      headers: headers(server),
      body: repeated(row, imported.id),
    });
    assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
    assert.equal(await countBytes(answer), ROWS * answerBytes + 160);
    const grown = peakBytes(server) - before;
    assert.ok(grown < 200 * MEBIBYTE, `memory grew by ${grown} bytes for ${ROWS * row.length} bytes of rows`);
  } finally {
    await server.end("SIGTERM");
    await Deno.remove(dataDir, { recursive: true });
  }
});

/** A model, keys, and one encrypted row, made before the server runs; sizes do not depend on the model's id. */
async function makeClient() {
  const backend = plainBackend();
  const { secretFile, evaluationFile } = await newKeys(backend);
  using secret = await openSecretKey(backend, secretFile);
  const model = await fixture("wdbc_xgb50x3.json");
  const description = await describe(model, backend);
  const rows = await fixtureRows("wdbc_rows.csv", 1);
  const { file } = await encryptRows(backend, secret, { id: "0".repeat(64), description }, rows);
  const answerBytes = description.plan.answer_bytes_per_row;
  return { model, row: new Uint8Array(file), keys: new Uint8Array(evaluationFile), answerBytes };
}

async function describe(file: Uint8Array, backend: ReturnType<typeof plainBackend>) {
  const model = importModel("xgboost", file, { bins: { kind: "model" } });
  return (await planModel({ model }, backend, { maxMemoryBytes: Infinity })).description;
}

/** A file of the same row over and over, never whole in memory. */
function repeated(file: Uint8Array, modelId: string): ReadableStream<Uint8Array> {
  const { header, payload } = decodeFile(file);
  const writer = fileWriter({ ...header, rowCount: ROWS, recordCount: ROWS, modelId: Uint8Array.fromHex(modelId) });
  assert.equal(writer.header.length, HEADER_BYTES);
  return ReadableStream.from((function* () {
    yield writer.header;
    const many = new Uint8Array(CHUNK_ROWS * payload.length);
    for (let index = 0; index < CHUNK_ROWS; index++) many.set(payload, index * payload.length);
    for (let index = 0; index < ROWS; index += CHUNK_ROWS) {
      writer.update(many);
      yield many;
    }
    yield writer.trailer();
  })());
}

const headers = ({ token }: ServerProcess) => ({ authorization: `Bearer ${token}` });

async function post(server: ServerProcess, path: string, body: Uint8Array<ArrayBuffer>) {
  const answer = await fetch(server.url + path, { method: "POST", headers: headers(server), body });
  assert.ok(answer.ok, await answer.clone().text());
  return await answer.json();
}

async function countBytes(answer: Response): Promise<number> {
  let count = 0;
  for await (const chunk of answer.body!) count += chunk.length;
  return count;
}

/** The largest resident size that the process ever had. */
function peakBytes({ pid }: ServerProcess): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}
