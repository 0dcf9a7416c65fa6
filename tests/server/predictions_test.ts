import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { decryptAnswers } from "../../client/decrypt.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { decodeFile, encodeFile } from "../../circuits/wire.ts";
import { renewEvaluationKeys } from "../../db/mod.ts";
import { evaluate, importModel, predict } from "../../models/mod.ts";
import {
  fixture,
  fixtureRows,
  importFixture,
  registerPair,
  rowsFile,
  withFlippedByte,
  withHeader,
} from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestCall, type TestServer, withServer } from "../support/server.ts";

const XGBOOST = "wdbc_xgb50x3.json";
const LOGISTIC = "wdbc_logistic.onnx";

/** A prepared server: a tree model, a key pair, an encrypted file of three rows. */
async function prepare(server: TestServer) {
  const model = await importFixture(server, XGBOOST, "xgboost");
  const pair = await registerPair(server);
  const file = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 3));
  const post = (body: BodyInit, change: TestCall & { path?: string } = {}) =>
    call(server, change.path ?? `/v1/models/${model.id}/predictions?key=${pair.id}`, {
      method: "POST",
      token: server.ours.predict,
      body,
      ...change,
    });
  return { model, pair, file, post };
}

Deno.test("tree predictions over HTTP equal the model's own on every row, in one chunk or many", async (t) => {
  for (const answerMemoryBytes of [1, 1 << 30]) {
    await t.step(
      answerMemoryBytes === 1 ? "answers wait in a file" : "answers wait in memory",
      () =>
        withServer(async (server) => {
          const { model, pair, post } = await prepare(server);
          const some = await fixtureRows("wdbc_rows.csv", 143);
          const rows = [...some, ...some, ...some];
          const answer = await post(await rowsFile(server, pair, model, rows));
          assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
          assert.match(answer.headers.get("sotto-server-ms") ?? "", /^\d+\.\d{3}$/);
          const bytes = await answer.bytes();
          assert.equal(answer.headers.get("content-length"), String(bytes.length));
          const found = await decryptAnswers(server.backend, pair.secret, model, bytes);
          const clear = importModel("xgboost", await fixture(XGBOOST), { bins: { kind: "model" } });
          assert.deepEqual(
            found.map(({ label }) => label),
            rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label),
          );
        }, { answerMemoryBytes }),
    );
  }
});

Deno.test("linear predictions need no registered keys", () =>
  withServer(async (server) => {
    const pair = await registerPair(server);
    const model = await importFixture(server, LOGISTIC, "onnx");
    const rows = await fixtureRows("wdbc_rows.csv", 140);
    const { file, scales } = await encryptRows(server.backend, pair.secret, model, rows);
    const path = `/v1/models/${model.id}/predictions`;
    const sent = { method: "POST", token: server.ours.predict, body: new Uint8Array(file) };
    const answer = await call(server, path, sent);
    assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
    const found = await decryptAnswers(server.backend, pair.secret, model, await answer.bytes(), { scales });
    const clear = importModel("onnx", await fixture(LOGISTIC), { bins: { kind: "model" } });
    assert.deepEqual(
      found.map(({ label }) => label),
      rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label),
    );
  }));

Deno.test("rows that do not belong to the request are refused by what is wrong", (t) =>
  withServer(async (server) => {
    const { model, pair, file, post } = await prepare(server);
    const other = await registerPair(server);
    const step = (sentence: string, run: () => Promise<void>) => t.step(sentence, run);
    const base = `/v1/models/${model.id}/predictions`;
    await step("no key named", async () =>
      assertProblem(await post(file, { path: base }), "malformed_request", /\?key=ID/));
    await step("a key id of the wrong form", async () =>
      assertProblem(await post(file, { path: `${base}?key=abc` }), "malformed_request", /key: must be 64/));
    await step("an unknown key", async () =>
      assertProblem(await post(file, { path: `${base}?key=${"0".repeat(64)}` }), "key_unknown"));
    await step("another key than the rows'", async () =>
      assertProblem(await post(file, { path: `${base}?key=${other.id}` }), "wrong_key"));
    await step("an unknown model", async () =>
      assertProblem(
        await post(file, { path: `/v1/models/${"0".repeat(64)}/predictions?key=${pair.id}` }),
        "model_unknown",
      ));
    await step("rows for another model", async () =>
      assertProblem(await post(withHeader(file, { modelId: new Uint8Array(32) })), "wrong_model"));
    await step("another parameter set", async () =>
      assertProblem(await post(withHeader(file, { parameterSet: "ring-2048-q50" })), "wrong_parameter_set"));
    await step("another kind of file", async () =>
      assertProblem(await post(pair.file), "wrong_file_kind"));
    await step("more rows announced than records", async () =>
      assertProblem(await post(withHeader(file, { rowCount: 4 })), "malformed_file", /recordCount is 3, must be 4/));
    await step("other coefficient bits", async () =>
      assertProblem(await post(withHeader(file, { coefficientBits: 50 })), "malformed_file", /coefficientBits/));
    await step("a changed byte", async () =>
      assertProblem(await post(withFlippedByte(file)), "digest_mismatch"));
    await step("a truncated file", async () =>
      assertProblem(await post(file.slice(0, -40)), "malformed_file", /too early/));
    await step("trailing bytes", async () =>
      assertProblem(await post(new Uint8Array([...file, 0])), "malformed_file", /goes on/));
    await step("no body", async () =>
      assertProblem(await post(new Uint8Array(0)), "malformed_file"));
    await step("no Sotto file", async () =>
      assertProblem(await post(new Uint8Array(200)), "malformed_file"));
  }));

Deno.test("an empty file of rows is refused", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const empty = encodeFile({ ...decodeFile(file).header, rowCount: 0, recordCount: 0 }, new Uint8Array(0));
    await assertProblem(await post(new Uint8Array(empty)), "malformed_file", /rowCount is 0/);
  }));

Deno.test("another tenant's model and keys do not exist", () =>
  withServer(async (server) => {
    const { pair, model, file, post } = await prepare(server);
    await assertProblem(await post(file, { token: server.theirs.predict }), "model_unknown");
    const sent = { method: "POST", token: server.theirs.admin, body: await fixture(XGBOOST) };
    const same = await (await call(server, `/v1/models?name=x&format=xgboost`, sent)).json();
    assert.equal(same.id, model.id);
    await assertProblem(await post(file, { token: server.theirs.predict }), "key_unknown");
    const mine = await call(server, "/v1/keys", { method: "POST", token: server.theirs.predict, body: pair.file });
    assert.equal(mine.status, 201);
    const answer = await post(file, { token: server.theirs.predict });
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }));

Deno.test("expired keys are refused and work again after a new registration", () =>
  withServer(async (server) => {
    const { pair, file, post } = await prepare(server);
    await renewEvaluationKeys(server.database, server.ours.id, pair.id, new Date(0));
    await assertProblem(await post(file), "key_expired", /register them again/);
    const again = await call(server, "/v1/keys", { method: "POST", token: server.ours.predict, body: pair.file });
    assert.equal(again.status, 200);
    const answer = await post(file);
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }));

Deno.test("a body above the limit is refused before it is read, or while it streams in", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const unread = new ReadableStream({ pull: () => assert.fail("the body was read") }, { highWaterMark: 0 });
    await assertProblem(await post(unread, { headers: { "content-length": "2000000" } }), "body_too_large");
    const chunked = ReadableStream.from([file, new Uint8Array(1_500_000)]);
    await assertProblem(await post(withHeader(file, {})), "body_too_large");
    await assertProblem(await post(chunked), "body_too_large");
  }, { maxPredictionBytes: 20_000 }));

Deno.test("a server that is full answers busy with a time to come back", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const slow = post(readable);
    const writer = writable.getWriter();
    await writer.write(file.slice(0, 128));
    const refused = await post(file);
    assert.ok(Number(refused.headers.get("retry-after")) >= 1);
    await assertProblem(refused, "busy");
    await writer.write(file.slice(128));
    await writer.close();
    const answer = await slow;
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }, { concurrentPredictions: 1, queuedPredictions: 0 }));

Deno.test("a client that goes away is told cancelled and leaves room for the next", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const gone = ReadableStream.from((async function* () {
      yield file.slice(0, 1000);
      await Promise.resolve();
      throw new Error("connection reset");
    })());
    await assertProblem(await post(gone), "cancelled");
    const answer = await post(file);
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }, { concurrentPredictions: 1, queuedPredictions: 0 }));

Deno.test("a request that is aborted ends its evaluation", () => {
  const backend = plainBackend();
  backend.evaluateLeaves = (_matrix, _keys, _rows, _shape, options) =>
    new Promise((_resolve, reject) => options!.signal!.addEventListener("abort", () => reject(new Error("stopped"))));
  return withServer(
    async (server) => {
      const { file, post } = await prepare(server);
      const abort = new AbortController();
      const answer = post(file, { signal: abort.signal });
      setTimeout(() => abort.abort(), 100);
      await assertProblem(await answer, "cancelled");
    },
    {},
    backend,
  );
});

Deno.test("an upload that falls silent is ended", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    writer.closed.catch(() => undefined);
    void writer.write(file.slice(0, 200)).catch(() => undefined);
    await assertProblem(await post(readable), "cancelled", /nothing of the body came for 0\.2 seconds/);
  }, { uploadIdleSeconds: 0.2 }));

Deno.test("deleted keys and models are gone for predictions at once", () =>
  withServer(async (server) => {
    const { pair, model, file, post } = await prepare(server);
    await (await post(file)).body?.cancel();
    const remove = (path: string) => call(server, path, { method: "DELETE", token: server.ours.admin });
    assert.equal((await remove(`/v1/keys/${pair.id}`)).status, 204);
    await assertProblem(await post(file), "key_unknown");
    assert.equal((await remove(`/v1/models/${model.id}`)).status, 204);
    await assertProblem(await post(file), "model_unknown");
  }));
