import assert from "node:assert/strict";
import { idempotencyKeys } from "../../db/schema.ts";
import { fixture, fixtureRows, importFixture, registerPair, rowsFile } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { SPEC } from "./training_support.ts";

const KEY = { "idempotency-key": "one" };

const createSession = (
  server: TestServer,
  name: string,
  headers: Record<string, string> = KEY,
  token = server.ours.admin,
) =>
  call(server, "/v1/training-sessions", {
    method: "POST",
    token,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ name, spec: SPEC, batch_count: 1 }),
  });

Deno.test("the same request with the same key is answered once, word by word", () =>
  withServer(async (server) => {
    const first = await createSession(server, "a");
    assert.deepEqual([first.status, first.headers.get("idempotency-replayed")], [201, null]);
    const again = await createSession(server, "a");
    assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [201, "true"]);
    assert.equal(again.headers.get("location"), first.headers.get("location"));
    assert.equal(await again.text(), await first.text());
    const { sessions } = await (await call(server, "/v1/training-sessions", { token: server.ours.admin })).json();
    assert.equal(sessions.length, 1);
  }));

Deno.test("a key names one request: another body or path is refused, another tenant has its own keys", () =>
  withServer(async (server) => {
    assert.equal((await createSession(server, "a")).status, 201);
    await assertProblem(await createSession(server, "b"), "idempotency_key_reused");
    const other = { method: "POST", token: server.ours.admin, headers: KEY, body: await fixture("wdbc_xgb50x3.json") };
    await assertProblem(await call(server, "/v1/models?name=m&format=xgboost", other), "idempotency_key_reused");
    const theirs = await createSession(server, "b", KEY, server.theirs.admin);
    assert.deepEqual([theirs.status, theirs.headers.get("idempotency-replayed")], [201, null]);
  }));

Deno.test("a key has 1 to 200 printable characters", () =>
  withServer(async (server) => {
    for (const key of ["x".repeat(201), "ä"]) {
      const answer = await createSession(server, "a", { "idempotency-key": key });
      await assertProblem(answer, "malformed_request", /idempotency-key/);
    }
    assert.equal((await createSession(server, "a", { "idempotency-key": "x".repeat(200) })).status, 201);
  }));

Deno.test("a request that failed is done again", () =>
  withServer(async (server) => {
    const headers = { ...KEY, "content-type": "application/json" };
    const send = (body: string) =>
      call(server, "/v1/training-sessions", { method: "POST", token: server.ours.admin, headers, body });
    await assertProblem(await send("{}"), "malformed_request");
    const body = JSON.stringify({ name: "a", spec: SPEC, batch_count: 1 });
    assert.equal((await send(body)).status, 201);
  }));

Deno.test("an answer that holds a token is not kept, and the second request is told so", () =>
  withServer(async (server) => {
    const sent = {
      method: "POST",
      token: server.ours.admin,
      headers: { ...KEY, "content-type": "application/json" },
      body: JSON.stringify({ scopes: ["predict"], days: 1 }),
    };
    const first = await call(server, "/v1/tokens", sent);
    assert.equal(first.status, 201, await first.clone().text());
    const { token } = await first.json();
    await assertProblem(await call(server, "/v1/tokens", sent), "conflict", /token/);
    const rows = await server.database.queries.select().from(idempotencyKeys);
    assert.ok(!JSON.stringify(rows).includes(token));
  }));

Deno.test("while the first request is answered the second one is told to wait", () =>
  withServer(async (server) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const file = await fixture("wdbc_xgb50x3.json");
    const send = (body: BodyInit) =>
      call(server, "/v1/models?name=m&format=xgboost", {
        method: "POST",
        token: server.ours.admin,
        headers: KEY,
        body,
      });
    const first = send(readable);
    await until(async () => (await server.database.queries.select().from(idempotencyKeys)).length === 1);
    await assertProblem(await send(file), "conflict", /being answered/);
    const writer = writable.getWriter();
    await writer.write(file);
    await writer.close();
    assert.equal((await first).status, 201);
    assert.equal((await send(file)).headers.get("idempotency-replayed"), "true");
  }));

Deno.test("the same key makes the same job, even when the answer to the first request was never kept", () =>
  withServer(async (server) => {
    const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
    const pair = await registerPair(server);
    const file = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 3));
    const post = async (body = file) =>
      await call(server, `/v1/models/${model.id}/predictions?key=${pair.id}`, {
        method: "POST",
        token: server.ours.predict,
        headers: { ...KEY, prefer: "respond-async" },
        body,
      });
    const { id } = await (await post()).json();
    assert.equal((await (await post()).json()).id, id);
    await server.database.queries.delete(idempotencyKeys);
    const again = await post();
    assert.equal(again.status, 202);
    assert.equal((await again.json()).id, id);
    await server.database.queries.delete(idempotencyKeys);
    const other = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 2));
    await assertProblem(await post(other), "idempotency_key_reused");
  }));
