/** Products whose server fails: what is asked again is encrypted again, and the numbers are the same up to the noise of encryption. */
import assert from "node:assert/strict";
import type { Call } from "../../client/request.ts";
import { EncryptedProducts, openBaseModel } from "../../client/finetune/mod.ts";
import { tokenErrorExpected } from "../../circuits/finetune/mod.ts";
import { SottoClient } from "../../client/mod.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { TOKENS_1024 } from "../../params/mod.ts";
import { startServerProcess } from "../support/server_process.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import {
  callsOf,
  clearTiny,
  cosine,
  gradientsOf,
  MODELS,
  openProducts,
  relativeError,
  sender,
  withNative,
} from "./finetune_support.ts";

const TOKENS = 24;
const x = Float32Array.from({ length: TOKENS * 64 }, (_, i) => Math.sin(i * 1.3) + Math.cos(i * 0.37));

/** Every third product breaks off in the middle of its answer, every fifth is not answered at all. */
function failing(send: (call: Call, url?: string) => Promise<Response>) {
  let products = 0;
  const bodies: Uint8Array[] = [];
  const sent = async (request: Call, url?: string): Promise<Response> => {
    if (!request.path.includes("/products")) return await send(request, url);
    products++;
    bodies.push((request.body as Uint8Array).slice());
    if (products % 5 === 0) return Response.json({ code: "server_unreachable", detail: "gone" }, { status: 502 });
    const response = await send(request, url);
    if (products % 3 !== 0) return response;
    const whole = await response.bytes();
    return new Response(whole.subarray(0, whole.length / 2));
  };
  return { sent, bodies };
}

Deno.test("a step whose server fails again and again ends with the numbers of an undisturbed one", () =>
  withNative(async (server) => {
    const token = server.ours.admin;
    const { sent } = failing(sender(server, token));
    const { base, products } = await openProducts(callsOf(server, token, sent), server);
    const clear = await clearTiny();
    const [disturbed, exact] = [await gradientsOf(base, products), await gradientsOf(clear, clear.products)];
    assert.ok(products.totals.retries >= 4);
    assert.ok(Math.abs(disturbed.loss / exact.loss - 1) < 0.005);
    assert.ok(cosine(disturbed.gradients, exact.gradients) > 0.999);
  }));

for (const masks of ["fresh", "cached"] as const) {
  Deno.test(`an attempt after a failure shares no secret with the one before it: ${masks} masks`, () =>
    withNative(async (server) => {
      const token = server.ours.admin;
      const { sent, bodies } = failing(sender(server, token));
      const { products, model } = await openProducts(callsOf(server, token, sent), server, { masks });
      const outputs = [];
      for (let i = 0; i < 3; i++) outputs.push((await products.forward("layers.0.qkv", x, TOKENS))[0]);
      assert.equal(bodies.length, 4);
      const seeds = masks === "fresh" ? 32 : 0;
      for (const [i, one] of bodies.entries()) {
        for (const other of bodies.slice(i + 1)) assert.ok(differ(one.subarray(seeds), other.subarray(seeds)));
      }
      const [part] = model.groups[0].column_parts;
      const expected = tokenErrorExpected({ set: TOKENS_1024, features: part.count, rowNorm: part.norm });
      const clear = await clearTiny();
      const [exact] = await clear.products.forward("layers.0.qkv", x, TOKENS);
      for (const output of outputs) assert.ok(relativeError(output, exact) < 3 * expected);
      assert.ok(relativeError(outputs[1], outputs[2]) > 0, "the noise is new");
    }));
}

/** Encryptions of the same values under one secret and one mask would differ in low bits only: these differ everywhere. */
function differ(one: Uint8Array, other: Uint8Array): boolean {
  let same = 0;
  one.forEach((byte, i) => same += byte === other[i] ? 1 : 0);
  return same / one.length < 0.02;
}

Deno.test("other errors are not asked again", () =>
  withNative(async (server) => {
    const token = server.ours.admin;
    let asked = 0;
    const calls = callsOf(server, token, (request) => {
      if (request.path.includes("/products")) {
        asked++;
        return Promise.resolve(Response.json({ code: "quota_exceeded", detail: "full" }, { status: 429 }));
      }
      return sender(server, token)(request);
    });
    const { products } = await openProducts(calls, server);
    await assert.rejects(products.forward("layers.0.qkv", x, TOKENS), { code: "quota_exceeded" });
    assert.equal(asked, 1);
  }));

Deno.test("a client goes on with a server that was killed in the middle of a step and came back", async () => {
  const dataDir = await makeDataFolder();
  const backend = plainBackend();
  const environment = { SOTTO_BASE_MODELS: MODELS };
  let server = await startServerProcess(dataDir, environment);
  try {
    const { fineTuning } = new SottoClient(server.url, server.token);
    const model = await fineTuning.registerBaseModel({ name: "tiny", path: "tiny.gguf" });
    const base = await openBaseModel(fineTuning, model, `${dataDir}/client`);
    const session = await fineTuning.createSession({ baseModel: model.id });
    const { groups, rowScales } = base;
    let killed: Promise<unknown> | undefined;
    const products = new EncryptedProducts({
      ...{ tokens: backend.tokens, calls: fineTuning, session, set: TOKENS_1024, groups, rowScales },
    });
    const { port } = new URL(server.url);
    const interrupted = {
      forward: async (group: string, values: Float32Array | Float64Array, tokens: number) => {
        if (group === "layers.1.o") {
          killed ??= server.end("SIGKILL").then(async () => {
            server = await startServerProcess(dataDir, { ...environment, SOTTO_PORT: port });
          });
        }
        return await products.forward(group, values, tokens);
      },
      backward: products.backward.bind(products),
    };
    const clear = await clearTiny();
    const [step, exact] = [await gradientsOf(base, interrupted), await gradientsOf(clear, clear.products)];
    await killed;
    assert.ok(products.totals.retries >= 1);
    assert.ok(cosine(step.gradients, exact.gradients) > 0.99999);
  } finally {
    await server.end("SIGTERM");
    backend.close();
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("layers are asked from the server that has them", () =>
  withNative(async (server) => {
    const token = server.ours.admin;
    const asked = new Map<string, string[]>();
    const calls = callsOf(server, token, (request, url) => {
      const group = /group=([^&]+)/.exec(request.path)?.[1];
      if (group) asked.set(url ?? "own", [...asked.get(url ?? "own") ?? [], group]);
      return sender(server, token)(request);
    });
    const { base, products } = await openProducts(calls, server);
    await gradientsOf(base, products);
    assert.deepEqual([...asked.keys()].sort(), ["http://second:1", "http://third:1", "own"]);
    assert.ok(asked.get("own")!.every((group) => group.startsWith("layers.0.")));
    assert.ok(asked.get("http://second:1")!.every((group) => group.startsWith("layers.1.")));
    assert.ok(asked.get("http://third:1")!.every((group) => group === "output"));
  }, {
    fineTuningPlacement: [{ url: "http://second:1", layers: [1, 5] }, { url: "http://third:1", output: true }],
  }));
