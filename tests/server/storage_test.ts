/** Byte quotas as clients see them. */
import assert from "node:assert/strict";
import { newKeys } from "../../client/keys.ts";
import { changeTenant, storageUse } from "../../db/mod.ts";
import { fixture } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { uploadsIn } from "../support/uploads.ts";

const ENDLESS_BYTES = 60_000_000;

const keyFile = async ({ backend }: TestServer) => new Uint8Array((await newKeys(backend)).evaluationFile);

const register = (server: TestServer, body: BodyInit, headers: Record<string, string> = {}) =>
  call(server, "/v1/keys", { method: "POST", token: server.ours.predict, body, headers });

const importModel = async (server: TestServer) =>
  await call(server, "/v1/models?name=stored&format=xgboost", {
    method: "POST",
    token: server.ours.admin,
    body: await fixture("iris_xgb.json"),
  });

const used = async ({ database, config, ours }: TestServer) =>
  (await storageUse(database, ours.id, config.tenantBytes)).bytes;

Deno.test("keys and models are counted while they are stored", () =>
  withServer(async (server) => {
    const file = await keyFile(server);
    const { id: key } = await (await register(server, file)).json();
    assert.equal((await register(server, file)).status, 200);
    assert.equal(await used(server), file.length);
    const { id: model } = await (await importModel(server)).json();
    assert.equal(await used(server), file.length + (await fixture("iris_xgb.json")).length);
    await call(server, `/v1/keys/${key}`, { method: "DELETE", token: server.ours.predict });
    await call(server, `/v1/models/${model}`, { method: "DELETE", token: server.ours.admin });
    assert.equal(await used(server), 0);
  }));

Deno.test("a body that says it is longer than what is left is refused before it is read", () =>
  withServer(async (server) => {
    let read = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        read++;
        controller.enqueue(new Uint8Array(1000));
      },
    }, { highWaterMark: 0 });
    await assertProblem(await register(server, body, { "content-length": "5001" }), "quota_exceeded", /may store 5000/);
    assert.equal(read, 0);
  }, { tenantBytes: 5000 }));

Deno.test("a body that does not say its length is refused when it has grown too long, and leaves nothing behind", () =>
  withServer(async (server) => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= ENDLESS_BYTES) return controller.close();
        sent += 1000;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    await assertProblem(await register(server, body), "quota_exceeded");
    assert.ok(sent < ENDLESS_BYTES);
    assert.equal(await used(server), 0);
    assert.deepEqual(uploadsIn(`${server.config.dataDir}/objects/tmp`), []);
  }, { tenantBytes: 5000 }));

Deno.test("a tenant that is full is told so, the others are not", () =>
  withServer(async (server) => {
    const file = await keyFile(server);
    await changeTenant(server.database, "ours", { bytesMax: file.length + 10 });
    assert.equal((await register(server, file)).status, 201);
    await assertProblem(await importModel(server), "quota_exceeded");
    const theirs = { method: "POST", token: server.theirs.predict, body: file };
    assert.equal((await call(server, "/v1/keys", theirs)).status, 201);
  }));
