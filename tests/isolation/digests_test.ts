/** Objects are stored by content: what one tenant sends must not show what another one has stored, nor share its fate. */
import assert from "node:assert/strict";
import { newKeys, openSecretKey, serverFile } from "../../client/keys.ts";
import { batchesOf } from "../../circuits/training/mod.ts";
import { sendBatches } from "../../client/mod.ts";
import { MODELS } from "../server/finetune_support.ts";
import { callsOf, codeOf, giveKeys, makeData, SPEC } from "../server/training_support.ts";
import { fixture, fixtureRows, importFixture, registerPair, rowsFile } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";

/** What both send; each is a first time for each of them. */
const UPLOADS: Record<string, (server: TestServer) => Promise<Upload>> = {
  "a key file": async (server) => ({
    path: "/v1/keys",
    body: new Uint8Array((await newKeys(server.backend)).evaluationFile),
  }),
  "a model": async () => ({
    path: "/v1/models?name=shared&format=xgboost",
    body: await fixture("wdbc_xgb_pruned.json"),
  }),
  "a base model": () =>
    Promise.resolve({ path: "/v1/base-models", body: JSON.stringify({ name: "shared", path: "tiny.gguf" }) }),
};

interface Upload {
  readonly path: string;
  readonly body: BodyInit;
}

const post = (server: TestServer, token: string, { path, body }: Upload, headers: Record<string, string> = {}) => {
  const type: Record<string, string> = typeof body === "string" ? { "content-type": "application/json" } : {};
  return call(server, path, { method: "POST", token, body, headers: { ...type, ...headers } });
};
const listOf = async (server: TestServer, token: string, { path }: Upload) =>
  await (await call(server, path.split("?")[0], { token })).text();

for (const [what, make] of Object.entries(UPLOADS)) {
  Deno.test(`${what} that another tenant has stored is answered as one that nobody has, and lives by itself`, () =>
    withServer(async (server) => {
      const { ours, theirs } = server;
      const upload = await make(server);
      const first = await post(server, ours.admin, upload);
      assert.equal(first.status, 201);
      const { id, created_at: since, ...rest } = await first.json();
      const second = await post(server, theirs.admin, upload);
      assert.equal(second.status, 201);
      const { id: same, created_at: later, ...others } = await second.json();
      assert.deepEqual([same, without(others)], [id, without(rest)]);
      assert.ok(later >= since);
      assert.equal((await post(server, theirs.admin, upload)).status, 200);
      const path = `${upload.path.split("?")[0]}/${id}`;
      assert.equal((await call(server, path, { method: "DELETE", token: theirs.admin })).status, 204);
      assert.equal((await call(server, path, { token: theirs.admin })).status, 404);
      assert.equal((await listOf(server, theirs.admin, upload)).includes(id), false);
      const kept = await call(server, path, { token: ours.admin });
      assert.equal(kept.status, 200);
      assert.equal((await kept.json()).created_at, since);
    }, { baseModels: MODELS }));
}

/** Expiry follows the time of registration. */
function without({ expires_at: _, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

Deno.test("rows of another tenant's key pair are not computed with its keys, and its own go on after a deletion", () =>
  withServer(async (server) => {
    const model = await importFixture(server, "wdbc_xgb_pruned.json", "xgboost");
    const pair = await registerPair(server);
    const body = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 1));
    const shared = { path: "/v1/models?name=theirs&format=xgboost", body: await fixture("wdbc_xgb_pruned.json") };
    assert.equal((await (await post(server, server.theirs.admin, shared)).json()).id, model.id);
    const predictions = { path: `/v1/models/${model.id}/predictions?key=${pair.id}`, body };
    await assertProblem(await post(server, server.theirs.predict, predictions), "key_unknown");
    assert.equal((await post(server, server.theirs.predict, { path: "/v1/keys", body: pair.file })).status, 201);
    assert.equal((await post(server, server.theirs.predict, predictions)).status, 200);
    for (const path of [`/v1/keys/${pair.id}`, `/v1/models/${model.id}`]) {
      assert.equal((await call(server, path, { method: "DELETE", token: server.theirs.admin })).status, 204);
    }
    assert.equal((await post(server, server.ours.predict, predictions)).status, 200);
    await assertProblem(await post(server, server.theirs.predict, predictions), "model_unknown");
  }));

Deno.test("a training does not find the lookup keys that another tenant registered for the same key pair", () =>
  withServer(async (server) => {
    const { secretFile } = await newKeys(server.backend, { capabilities: [] });
    const secret = await openSecretKey(server.backend, secretFile);
    const body = new Uint8Array(await serverFile(server.backend, secret, "lookup3"));
    assert.equal((await post(server, server.ours.admin, { path: "/v1/keys", body })).status, 201);
    const calls = callsOf(server, server.theirs.admin);
    const data = makeData(4);
    const batchCount = batchesOf(SPEC, data.rows.length).length;
    const { id } = await calls.create({ name: "thief", spec: SPEC, batchCount });
    await giveKeys(calls, server.backend, id, secret);
    const owner = callsOf(server, (await calls.addOwner(id, { name: "all", kind: "rows" })).token);
    await sendBatches(owner, server.backend, { secretKey: secret.key }, await owner.public(id), data);
    assert.equal(await codeOf(calls.run(id, 1)), "key_missing");
  }));

Deno.test("the same idempotency key of two tenants gives each its own object", () =>
  withServer(async (server) => {
    const session = { path: "/v1/training-sessions", body: JSON.stringify({ name: "a", spec: SPEC, batch_count: 1 }) };
    const key = { "idempotency-key": "guessed" };
    const ours = await post(server, server.ours.admin, session, key);
    const theirs = await post(server, server.theirs.admin, session, key);
    assert.deepEqual([ours.status, theirs.status], [201, 201]);
    const [{ id: first }, { id: second }] = [await ours.json(), await theirs.json()];
    assert.notEqual(first, second);
    await assertProblem(
      await call(server, `/v1/training-sessions/${first}`, { token: server.theirs.admin }),
      "session_unknown",
    );
  }));
