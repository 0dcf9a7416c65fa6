import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { productRequestBytes, type ProductShape } from "../../circuits/finetune/mod.ts";
import { TOKENS_1024 } from "../../params/mod.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer } from "../support/server.ts";
import { callsOf, clearTiny, cosine, gradientsOf, openProducts, withNative } from "./finetune_support.ts";

function send(server: TestServer, path: string, body: Uint8Array<ArrayBuffer>, token = server.ours.admin) {
  return call(server, path, { method: "POST", token, body });
}

Deno.test("two sessions at once, of both modes, have the gradients that each has alone", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const first = await openProducts(calls, server, { masks: "fresh" });
    const second = await openProducts(calls, server, { masks: "cached", parameterSet: "tokens-2048-q32" });
    const clear = await clearTiny();
    const exact = await gradientsOf(clear, clear.products);
    const both = await Promise.all([first, second].map(({ base, products }) => gradientsOf(base, products)));
    for (const { gradients } of both) assert.ok(cosine(gradients, exact.gradients) > 0.999);
    assert.equal((await calls.listBaseModels()).length, 1);
    const [one, two] = await calls.listSessions();
    assert.deepEqual([one.requests > 0, two.requests > 0], [true, true]);
  }));

Deno.test("a session tells its bytes a token, and counts what it moves", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { base, products, session } = await openProducts(calls, server, { tokensMax: 32 });
    await gradientsOf(base, products);
    const after = await calls.getSession(session.id);
    assert.equal(after.bytes_used, products.totals.bytesUp + products.totals.bytesDown);
    assert.ok(after.bytes_used <= 32 * session.bytes_per_token);
    await calls.deleteSession(session.id);
    await assert.rejects(calls.getSession(session.id), { code: "session_unknown" });
  }));

Deno.test("products of the wrong shape are refused unread", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { session, model } = await openProducts(calls, server, { tokensMax: 16 });
    const path = `/v1/fine-tuning-sessions/${session.id}/products`;
    const [plan] = model.groups;
    const shape: ProductShape = { plan, direction: "forward", set: TOKENS_1024, mode: "fresh", tokens: 5 };
    const body = new Uint8Array(productRequestBytes(shape));
    const query = "group=layers.0.qkv&direction=forward&tokens=5";
    const answer = await send(server, `${path}?${query}`, body);
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
    await assertProblem(await send(server, `${path}?${query}`, body.subarray(1)), "malformed_file", /has 1120 bytes/);
    await assertProblem(await send(server, `${path}?${query}`, new Uint8Array(body.length + 1)), "body_too_large");
    const announced = { method: "POST", token: server.ours.admin, headers: { "content-length": "1121" }, body };
    await assertProblem(await call(server, `${path}?${query}`, announced), "malformed_file", /1120 bytes, not 1121/);
    for (
      const wrong of [
        query.replace("5", "0"),
        query.replace("=5", "=17"),
        query.replace("0.qkv", "9.qkv"),
        query.replace("qkv", "all"),
        query.replace("forward", "up"),
      ]
    ) {
      await assertProblem(await send(server, `${path}?${wrong}`, body), "malformed_request");
    }
    const masks = `/v1/fine-tuning-sessions/${session.id}/masks/layers.0.qkv?direction=forward`;
    await assertProblem(await call(server, masks, { token: server.ours.admin }), "session_state");
  }));

Deno.test("a session ends at its quota", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { base, products, session } = await openProducts(calls, server);
    await assert.rejects(gradientsOf(base, products), { code: "quota_exceeded" });
    const { bytes_used, bytes_max } = await calls.getSession(session.id);
    assert.ok(bytes_used <= bytes_max && products.totals.requests > 0);
  }, { fineTuningSessionBytes: 3_000_000 }));

Deno.test("sessions are limited in number, base models with sessions stay", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { model, session } = await openProducts(calls, server);
    await assert.rejects(calls.createSession({ baseModel: model.id }), { code: "quota_exceeded" });
    await assert.rejects(calls.deleteBaseModel(model.id), { code: "conflict" });
    await calls.deleteSession(session.id);
    await calls.deleteBaseModel(model.id);
    assert.deepEqual(await calls.listBaseModels(), []);
    assert.equal(await server.store.has(model.public_digest), false);
  }, { fineTuningSessionsPerTenant: 1 }));

Deno.test("another tenant reaches neither base model nor session, and predict tokens reach nothing", () =>
  withNative(async (server) => {
    const { model, session } = await openProducts(callsOf(server, server.ours.admin), server);
    const theirs = callsOf(server, server.theirs.admin);
    await assert.rejects(theirs.getBaseModel(model.id), { code: "model_unknown" });
    await assert.rejects(theirs.tokenizer(model.id), { code: "model_unknown" });
    await assert.rejects(theirs.createSession({ baseModel: model.id }), { code: "model_unknown" });
    await assert.rejects(theirs.getSession(session.id), { code: "session_unknown" });
    await assert.rejects(theirs.deleteSession(session.id), { code: "session_unknown" });
    await assert.rejects(callsOf(server, server.ours.predict).listSessions(), { code: "scope_missing" });
  }));

Deno.test("base models lie in the operator's folder only", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const outside = join(server.config.dataDir, "outside.gguf");
    await Deno.writeFile(outside, randomBytes(100));
    for (const path of ["../README.md", outside, "absent.gguf", "..", "."]) {
      await assert.rejects(calls.registerBaseModel({ name: "x", path }), { code: "file_unreadable" });
    }
    await assert.rejects(calls.registerBaseModel({ name: "x", path: "tokens.json" }), { code: "malformed_file" });
    const [file, folder] = [
      await calls.registerBaseModel({ name: "file", path: "tiny.gguf" }),
      await calls.registerBaseModel({ name: "again", path: "tiny.gguf" }),
    ];
    assert.deepEqual(file, folder);
  }));

Deno.test("a server without a folder of base models has none, and changed files are noticed", () =>
  withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    await assert.rejects(calls.registerBaseModel({ name: "x", path: "tiny.gguf" }), { code: "model_refused" });
  }, { baseModels: undefined }));

Deno.test("files that change after the registration are refused", async () => {
  const folder = await Deno.makeTempDir();
  const { MODELS } = await import("./finetune_support.ts");
  await Deno.copyFile(`${MODELS}/tiny.gguf`, `${folder}/tiny.gguf`);
  await withNative(async (server) => {
    const calls = callsOf(server, server.ours.admin);
    const { base, products } = await openProducts(calls, server);
    await Deno.utime(`${folder}/tiny.gguf`, new Date(0), new Date(0));
    await assert.rejects(gradientsOf(base, products), { code: "conflict" });
  }, { baseModels: folder });
  await Deno.remove(folder, { recursive: true });
});
