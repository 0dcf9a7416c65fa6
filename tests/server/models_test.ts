import assert from "node:assert/strict";
import { descriptionSchema } from "../../circuits/description.ts";
import { fixture, registerPair } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestCall, type TestServer, withServer } from "../support/server.ts";

const XGBOOST = "wdbc_xgb50x3.json";

async function prepare(server: TestServer) {
  const file = await fixture(XGBOOST);
  const post = (body: BodyInit | undefined, query: string, change: TestCall = {}) =>
    call(server, `/v1/models?${query}`, { method: "POST", token: server.ours.admin, body, ...change });
  const list = async (token = server.ours.predict) =>
    (await (await call(server, "/v1/models", { token })).json()).models;
  return { file, post, list };
}

const QUERY = "name=breast%20cancer&format=xgboost";

function form(parts: Record<string, BlobPart>): FormData {
  const data = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === "string") data.set(name, part);
    else data.set(name, new Blob([part]), name);
  }
  return data;
}

Deno.test("a model is imported, shown, listed, imported again and deleted", () =>
  withServer(async (server) => {
    const { file, post, list } = await prepare(server);
    const created = await post(file, QUERY);
    assert.equal(created.status, 201, await created.clone().text());
    const model = await created.json();
    assert.match(model.id, /^[0-9a-f]{64}$/);
    assert.equal(model.name, "breast cancer");
    assert.equal(model.source.format, "xgboost");
    const description = descriptionSchema.parse(model.description);
    assert.equal(description.mode, "leaves");
    assert.equal(description.parameter_set, server.backend.parameterSet);
    const again = await post(file, "name=another&format=xgboost");
    assert.equal(again.status, 200);
    assert.deepEqual(await again.json(), model);
    const { description: _description, ...summary } = model;
    assert.deepEqual(await list(), [summary]);
    const path = `/v1/models/${model.id}`;
    assert.deepEqual(await (await call(server, path, { token: server.ours.predict })).json(), model);
    assert.equal((await call(server, path, { method: "DELETE", token: server.ours.admin })).status, 204);
    assert.deepEqual(await list(), []);
    await assertProblem(await call(server, path, { token: server.ours.predict }), "model_unknown");
  }));

Deno.test("quantile bins make another model of the same file, whose thresholds are edges", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const plain = await (await post(file, QUERY)).json();
    const edges = plain.description.features.map(() => [0.1, 1, 10, 100, 1000]);
    const body = () => form({ model: file, edges: JSON.stringify(edges) });
    const created = await post(body(), `${QUERY}&bins=quantile&n_bits=3`);
    assert.equal(created.status, 201, await created.clone().text());
    const model = await created.json();
    assert.notEqual(model.id, plain.id);
    for (const { thresholds } of model.description.features) {
      for (const threshold of thresholds) assert.ok(edges[0].some((edge: number) => Math.fround(edge) === threshold));
    }
    assert.equal((await post(body(), `${QUERY}&bins=quantile&n_bits=6`)).status, 200);
  }));

Deno.test("imports that cannot be are refused by what is wrong", (t) =>
  withServer(async (server) => {
    const { file, post, list } = await prepare(server);
    const quantile = `${QUERY}&bins=quantile&n_bits=1`;
    const refused = (
      sentence: string,
      answer: () => Promise<Response>,
      ...problem: [Parameters<typeof assertProblem>[1], RegExp?]
    ) => t.step(sentence, async () => assertProblem(await answer(), ...problem));
    await refused("no name", () => post(file, "format=xgboost"), "malformed_request", /name: /);
    await refused(
      "a name with a control character",
      () => post(file, "name=a%00b&format=xgboost"),
      "malformed_request",
      /name: /,
    );
    await refused("an unknown format", () => post(file, "name=x&format=pickle"), "malformed_request", /format: /);
    await refused(
      "two wrong fields",
      () => post(file, "format=x&bins=y"),
      "malformed_request",
      /name: .*format: .*bins: /,
    );
    await refused("no body", () => post(undefined, QUERY), "malformed_request", /no body/);
    await refused("a file of another format", () => post(new Uint8Array([1, 2, 3]), QUERY), "malformed_file");
    await refused("quantile bins without parts", () => post(file, quantile), "malformed_request", /multipart/);
    await refused("no edges", () => post(form({ model: file }), quantile), "malformed_request", /edges: /);
    await refused("no model", () => post(form({ edges: "[[1]]" }), quantile), "malformed_request", /model: /);
    await refused(
      "edges that are no JSON",
      () => post(form({ model: file, edges: "[" }), quantile),
      "malformed_request",
      /edges: /,
    );
    await refused(
      "an edge that is no number",
      () => post(form({ model: file, edges: '[["a"]]' }), quantile),
      "malformed_request",
      /edges\.0\.0: /,
    );
    await refused(
      "more edges than n_bits allows",
      () => post(form({ model: file, edges: "[[1,2,3]]" }), quantile),
      "malformed_request",
      /edges\.0: holds 3/,
    );
    await refused("edges for another number of features", () =>
      post(form({ model: file, edges: "[[1,2]]" }), quantile), "model_refused");
    await refused(
      "a broken multipart body",
      () =>
        post("--x\r\nnothing", quantile, { headers: { "content-type": "multipart/form-data; boundary=x" } }),
      "malformed_request",
    );
    assert.deepEqual(await list(), []);
  }));

Deno.test("a model file above the limit is refused before it is read, or while it streams in", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const unread = new ReadableStream({ pull: () => assert.fail("the body was read") }, { highWaterMark: 0 });
    await assertProblem(await post(unread, QUERY, { headers: { "content-length": "1001" } }), "body_too_large");
    await assertProblem(await post(ReadableStream.from([file]), QUERY), "body_too_large");
    const body = form({ model: file, edges: "[]" });
    await assertProblem(await post(body, `${QUERY}&bins=quantile&n_bits=2`), "body_too_large");
  }, { maxModelBytes: 1000 }));

Deno.test("another tenant's models do not exist, and reading needs less than importing", () =>
  withServer(async (server) => {
    const { file, post, list } = await prepare(server);
    const { id } = await (await post(file, QUERY)).json();
    const path = `/v1/models/${id}`;
    const token = server.theirs.admin;
    await assertProblem(await call(server, path, { token }), "model_unknown");
    await assertProblem(await call(server, path, { method: "DELETE", token }), "model_unknown");
    assert.deepEqual(await list(token), []);
    await assertProblem(await post(file, QUERY, { token: server.ours.predict }), "scope_missing");
    await assertProblem(await call(server, path, { method: "DELETE", token: server.ours.predict }), "scope_missing");
    assert.equal((await list()).length, 1);
  }));

Deno.test("a model whose file was changed on disk is store_corrupt, and the log says so", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const { id } = await (await post(file, QUERY)).json();
    const objects = `${server.config.dataDir}/objects`;
    for await (const { digest } of server.store.list()) {
      Deno.writeTextFileSync(`${objects}/${digest.slice(0, 2)}/${digest}`, "x");
    }
    const pair = await registerPair(server);
    const sent = { method: "POST", token: server.ours.predict, body: new Uint8Array(200) };
    await assertProblem(await call(server, `/v1/models/${id}/predictions?key=${pair.id}`, sent), "store_corrupt");
    assert.ok(server.logged.some((line) => line.includes("store_corrupt")));
  }));
