import assert from "node:assert/strict";
import type { Capability } from "../../circuits/backend.ts";
import { keyFileHeader } from "../../circuits/wire.ts";
import { decryptAnswers } from "../../client/decrypt.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { newKeys, openSecretKey } from "../../client/keys.ts";
import { insertModel, renewEvaluationKeys } from "../../db/mod.ts";
import { openBackend } from "../../ffi/mod.ts";
import { evaluate, importModel, predict } from "../../models/mod.ts";
import { fixture, fixtureRows, importFixture, withFlippedByte, withHeader } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const NETWORK = "ab".repeat(32);

/** A key pair with some files, none registered yet, and a network that needs `pack` and `lookup1`. */
async function prepare(server: TestServer, capabilities: readonly Capability[] = ["pack", "lookup1"]) {
  const { files, keyId } = await newKeys(server.backend, { capabilities });
  await addNetwork(server, ["pack", "lookup1"]);
  const file = (capability: Capability) => files.get(capability) as Uint8Array<ArrayBuffer>;
  const send = (body: BodyInit) => call(server, "/v1/keys", { method: "POST", token: server.ours.predict, body });
  const register = async (capability: Capability) => {
    const answer = await send(file(capability));
    assert.equal(answer.status, 201, await answer.clone().text());
    return await answer.json();
  };
  return { files, keyId, file, send, register };
}

/** A row of a model that only its needs are read of. */
function addNetwork(server: TestServer, capabilities: readonly string[]) {
  return insertModel(server.database, {
    tenantId: server.ours.id,
    id: NETWORK,
    name: "network",
    source: { format: "onnx", version: "1", objective: "" },
    options: { format: "onnx", bins: { kind: "model" } },
    description: { mode: "network", capabilities },
    objectDigest: NETWORK,
    createdAt: new Date(),
  });
}

/** A prediction whose body fails when it is read. */
function predictUnread(server: TestServer, key: string): Promise<Response> {
  const body = new ReadableStream({ pull: () => assert.fail("the body was read") }, { highWaterMark: 0 });
  return call(server, `/v1/models/${NETWORK}/predictions?key=${key}`, {
    method: "POST",
    token: server.ours.predict,
    body,
  });
}

Deno.test("lookup keys are registered beside evaluation keys and tell their capability", () =>
  withServer(async (server) => {
    const { keyId, register } = await prepare(server);
    const [pack, lookup] = [await register("pack"), await register("lookup1")];
    assert.deepEqual([pack.capability, lookup.capability], ["pack", "lookup1"]);
    assert.deepEqual([pack.key_id, lookup.key_id], [keyId, keyId]);
    const listed = await (await call(server, "/v1/keys", { token: server.ours.predict })).json();
    assert.deepEqual(listed.keys, [pack, lookup]);
    const path = `/v1/keys/${lookup.id}`;
    assert.deepEqual(await (await call(server, path, { token: server.ours.predict })).json(), lookup);
    assert.equal((await call(server, path, { method: "DELETE", token: server.ours.predict })).status, 204);
    await assertProblem(await call(server, path, { token: server.ours.predict }), "key_unknown");
  }));

Deno.test("the default configuration takes the largest lookup keys", () =>
  withServer(async (server) => {
    const { register } = await prepare(server, ["lookup3"]);
    assert.equal((await register("lookup3")).bytes, keyFileHeader("lookup3", blankOwner(server)).recordBytes + 160);
  }));

Deno.test("lookup keys that are damaged or of another length are refused and leave nothing behind", (t) =>
  withServer(async (server) => {
    const { file, send } = await prepare(server, ["lookup1"]);
    const good = file("lookup1");
    const step = (sentence: string, body: Uint8Array<ArrayBuffer>, ...problem: [Parameters<typeof assertProblem>[1]]) =>
      t.step(sentence, async () => assertProblem(await send(body), ...problem));
    await step("another setting than its length", withHeader(good, { flags: 2 }), "malformed_file");
    await step(
      "an evaluation key file of that length",
      withHeader(good, { flags: 0, kind: "evaluation_keys" }),
      "malformed_file",
    );
    await step("coefficients of other bits", withHeader(good, { coefficientBits: 32 }), "malformed_file");
    await step("a setting that does not exist", overwritten(good, 26, 4), "malformed_file");
    await step("a changed byte", withFlippedByte(good), "digest_mismatch");
    await step("a cut end", good.slice(0, -1), "malformed_file");
    const listed = await (await call(server, "/v1/keys", { token: server.ours.predict })).json();
    assert.deepEqual(listed.keys, []);
  }));

Deno.test("a missing capability is refused before the body is read, with the command that makes it", () =>
  withServer(async (server) => {
    const { register } = await prepare(server);
    const pack = await register("pack");
    await assertProblem(
      await predictUnread(server, pack.id),
      "key_missing",
      /needs lookup1 keys.*sotto keys make --capability lookup1 --key/,
    );
    const lookup = await register("lookup1");
    await renewEvaluationKeys(server.database, server.ours.id, lookup.id, new Date(0));
    await assertProblem(await predictUnread(server, pack.id), "key_missing");
    await assertProblem(await predictUnread(server, lookup.id), "key_expired");
    await assertProblem(await predictUnread(server, "0".repeat(64)), "key_unknown");
    const none = await call(server, `/v1/models/${NETWORK}/predictions`, {
      method: "POST",
      token: server.ours.predict,
      body: "x",
    });
    await assertProblem(none, "malformed_request", /\?key=ID.*pack and lookup1/);
  }));

Deno.test("any key file of the pair names the others, and keys of another pair do not count", () =>
  withServer(async (server) => {
    const { register } = await prepare(server);
    const lookup = await register("lookup1");
    const other = await newKeys(server.backend);
    const sent = { method: "POST", token: server.ours.predict, body: new Uint8Array(other.evaluationFile) };
    await (await call(server, "/v1/keys", sent)).body?.cancel();
    await assertProblem(await predictUnread(server, lookup.id), "key_missing", /needs pack keys/);
  }));

Deno.test("trees take their evaluation keys by the id of the pair's lookup keys", () =>
  withServer(async (server) => {
    const { secretFile, files } = await newKeys(server.backend, { capabilities: ["pack", "lookup1"] });
    const ids: string[] = [];
    for (const file of files.values()) {
      const sent = { method: "POST", token: server.ours.predict, body: new Uint8Array(file) };
      ids.push((await (await call(server, "/v1/keys", sent)).json()).id);
    }
    using secret = await openSecretKey(server.backend, secretFile);
    const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
    const rows = await encryptRows(server.backend, secret, model, await fixtureRows("wdbc_rows.csv", 2));
    for (const id of ids) {
      const sent = { method: "POST", token: server.ours.predict, body: new Uint8Array(rows.file) };
      const answer = await call(server, `/v1/models/${model.id}/predictions?key=${id}`, sent);
      assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
      assert.equal((await decryptAnswers(server.backend, secret, model, await answer.bytes())).length, 2);
    }
  }));

const blankOwner = (server: TestServer) => ({
  keyId: new Uint8Array(32),
  parameterSet: server.backend.parameterSet,
});

function overwritten(file: Uint8Array, at: number, value: number): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(file);
  changed[at] = value;
  return changed;
}

Deno.test("with the native kernels lookup keys are loaded, and a job under their pair gives the labels of the clear model", () =>
  withServer(
    async (server) => {
      const { secretFile, files } = await newKeys(server.backend, { capabilities: ["pack", "lookup1"] });
      const token = server.ours.predict;
      const ids: string[] = [];
      for (const file of files.values()) {
        const answer = await call(server, "/v1/keys", { method: "POST", token, body: new Uint8Array(file) });
        assert.equal(answer.status, 201, await answer.clone().text());
        ids.push((await answer.json()).id);
      }
      using secret = await openSecretKey(server.backend, secretFile);
      const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
      const rows = await fixtureRows("wdbc_rows.csv", 5);
      const encrypted = await encryptRows(server.backend, secret, model, rows);
      const accepted = await call(server, `/v1/models/${model.id}/predictions?key=${ids[1]}`, {
        method: "POST",
        token,
        body: new Uint8Array(encrypted.file),
        headers: { prefer: "respond-async" },
      });
      assert.equal(accepted.status, 202, await accepted.clone().text());
      const path = `/v1/jobs/${(await accepted.json()).id}`;
      await until(async () => (await (await call(server, path, { token })).json()).state === "succeeded");
      const answers = await (await call(server, `${path}/answers`, { token })).bytes();
      const found = await decryptAnswers(server.backend, secret, model, answers);
      const clear = importModel("xgboost", await fixture("wdbc_xgb50x3.json"), { bins: { kind: "model" } });
      assert.deepEqual(
        found.map(({ label }) => label),
        rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label),
      );
    },
    {},
    openBackend({ threads: 2 }),
  ));
