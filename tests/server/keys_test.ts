import assert from "node:assert/strict";
import { newKeys } from "../../client/keys.ts";
import { decodeFile, encodeFile } from "../../circuits/wire.ts";
import { withFlippedByte, withHeader } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { uploadsIn } from "../support/uploads.ts";
import { call, type TestCall, type TestServer, withServer } from "../support/server.ts";

async function prepare(server: TestServer) {
  const file = new Uint8Array((await newKeys(server.backend)).evaluationFile);
  const post = (body: BodyInit, change: TestCall = {}) =>
    call(server, "/v1/keys", { method: "POST", token: server.ours.predict, body, ...change });
  const get = async (token = server.ours.predict) => await (await call(server, "/v1/keys", { token })).json();
  return { file, post, get };
}

/** Objects and uploads under way. */
const storedObjects = async ({ store, config }: TestServer): Promise<string[]> => [
  ...(await Array.fromAsync(store.list())).map(({ digest }) => digest),
  ...uploadsIn(`${config.dataDir}/objects/tmp`),
];

Deno.test("evaluation keys are registered, shown, listed, registered again and deleted", () =>
  withServer(async (server) => {
    const { file, post, get } = await prepare(server);
    const created = await post(file);
    assert.equal(created.status, 201);
    const keys = await created.json();
    const { header, digest } = decodeFile(file);
    assert.equal(keys.id, digest);
    assert.equal(keys.key_id, header.keyId.toHex());
    assert.equal(keys.parameter_set, server.backend.parameterSet);
    assert.equal(keys.bytes, file.length);
    assert.equal(Date.parse(keys.expires_at) - Date.parse(keys.created_at), 365 * 86_400_000);
    const again = await post(ReadableStream.from([file.slice(0, 7), file.slice(7)]));
    assert.equal(again.status, 200);
    assert.deepEqual(await again.json(), keys);
    assert.deepEqual(await get(), { keys: [keys] });
    const path = `/v1/keys/${keys.id}`;
    assert.deepEqual(await (await call(server, path, { token: server.ours.predict })).json(), keys);
    assert.equal((await call(server, path, { method: "DELETE", token: server.ours.predict })).status, 204);
    assert.deepEqual(await get(), { keys: [] });
    assert.deepEqual(await storedObjects(server), []);
  }));

Deno.test("files that are no usable evaluation keys are refused and leave nothing behind", (t) =>
  withServer(async (server) => {
    const { file, post, get } = await prepare(server);
    const secret = new Uint8Array((await newKeys(server.backend)).secretFile);
    const { header, payload } = decodeFile(file);
    const shorter = encodeFile({ ...header, recordBytes: header.recordBytes - 1 }, payload.subarray(1));
    const step = (sentence: string, body: BodyInit, ...problem: [Parameters<typeof assertProblem>[1], RegExp?]) =>
      t.step(sentence, async () => assertProblem(await post(body), ...problem));
    await step("a truncated upload", file.slice(0, -1), "malformed_file");
    await step("a header alone", file.slice(0, 128), "malformed_file");
    await step("nothing", new Uint8Array(0), "malformed_file");
    await step("trailing bytes", new Uint8Array([...file, 1]), "malformed_file");
    await step("a changed byte", withFlippedByte(file), "digest_mismatch");
    await step("a secret key", secret, "wrong_file_kind");
    await step("another parameter set", withHeader(file, { parameterSet: "ring-2048-q50" }), "wrong_parameter_set");
    await step("a payload that the back end refuses", new Uint8Array(shorter), "malformed_file");
    await t.step("no body at all", async () =>
      assertProblem(
        await call(server, "/v1/keys", { method: "POST", token: server.ours.predict }),
        "malformed_request",
        /no body/,
      ));
    assert.deepEqual(await get(), { keys: [] });
    assert.deepEqual(await storedObjects(server), []);
  }));

Deno.test("a body above the limit is refused before it is read, or while it streams in", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const unread = new ReadableStream({ pull: () => assert.fail("the body was read") }, { highWaterMark: 0 });
    await assertProblem(await post(unread, { headers: { "content-length": "1001" } }), "body_too_large", /1000 bytes/);
    await assertProblem(await post(ReadableStream.from([file])), "body_too_large");
    assert.deepEqual(await storedObjects(server), []);
  }, { maxKeyBytes: 1000 }));

Deno.test("another tenant's keys do not exist, and its own copy outlives ours", () =>
  withServer(async (server) => {
    const { file, post, get } = await prepare(server);
    const { id } = await (await post(file)).json();
    const path = `/v1/keys/${id}`;
    const token = server.theirs.admin;
    await assertProblem(await call(server, path, { token }), "key_unknown");
    await assertProblem(await call(server, path, { method: "DELETE", token }), "key_unknown");
    assert.deepEqual(await get(token), { keys: [] });
    assert.equal((await post(file, { token })).status, 201);
    await call(server, path, { method: "DELETE", token: server.ours.predict });
    assert.equal((await get(token)).keys.length, 1);
    assert.equal((await storedObjects(server)).length, 1);
  }));

Deno.test("registering and deleting the same keys at the same time keeps row and object together", () =>
  withServer(async (server) => {
    const { file, post, get } = await prepare(server);
    const { id } = await (await post(file)).json();
    for (let round = 0; round < 5; round++) {
      const remove = call(server, `/v1/keys/${id}`, { method: "DELETE", token: server.ours.predict });
      await Promise.all([post(file), remove, post(file)].map(async (answer) => (await answer).body?.cancel()));
      assert.equal((await get()).keys.length, (await storedObjects(server)).length);
      await (await post(file)).body?.cancel();
    }
  }));

Deno.test("an id of the wrong form is a malformed request", () =>
  withServer(async (server) => {
    await assertProblem(
      await call(server, "/v1/keys/..%2f", { token: server.ours.predict }),
      "malformed_request",
      /^.*id: /,
    );
  }));
