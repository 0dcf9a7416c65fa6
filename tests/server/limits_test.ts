import assert from "node:assert/strict";
import { changeTenant, createToken } from "../../db/mod.ts";
import { fixtureRows, importFixture, registerPair, rowsFile } from "../support/fixtures.ts";
import { heldBackend } from "../support/held_backend.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const list = (server: TestServer, token: string) => call(server, "/v1/keys", { token });

Deno.test("answers say what is left of the tenant's minute, and refusals when it is over", () =>
  withServer(async (server) => {
    const { admin, predict } = server.ours;
    for (const [token, left] of [[admin, 2], [predict, 1], [admin, 0]] as const) {
      const answer = await list(server, token);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("ratelimit-policy"), '"tenant";q=3;w=60');
      assert.match(answer.headers.get("ratelimit")!, new RegExp(`^"tenant";r=${left};t=([1-9]|[1-5][0-9]|60)$`));
    }
    const refused = await list(server, predict);
    assert.match(refused.headers.get("ratelimit")!, /^"tenant";r=0;t=\d+$/);
    assert.ok(Number(refused.headers.get("retry-after")) >= 1 && Number(refused.headers.get("retry-after")) <= 60);
    await assertProblem(refused, "rate_limited", /3 requests a minute/);
    assert.equal((await list(server, server.theirs.predict)).status, 200);
  }, { requestsPerMinute: 3 }));

Deno.test("the tenant's own limit holds from the next request on", () =>
  withServer(async (server) => {
    assert.equal((await list(server, server.ours.predict)).status, 200);
    await changeTenant(server.database, "ours", { requestsPerMinute: 1 });
    await assertProblem(await list(server, server.ours.predict), "rate_limited", /1 requests a minute/);
  }));

Deno.test("a token may have a limit of its own", () =>
  withServer(async (server) => {
    const request = { tenant: server.ours.id, scopes: ["predict"] as const, days: 1, requestsPerMinute: 2 };
    const { token } = await createToken(server.database, request);
    const first = await list(server, token);
    assert.equal(first.headers.get("ratelimit-policy"), '"token";q=2;w=60, "tenant";q=100;w=60');
    assert.match(first.headers.get("ratelimit")!, /^"token";r=1;t=\d+, "tenant";r=99;t=\d+$/);
    await list(server, token);
    await assertProblem(await list(server, token), "rate_limited", /2 requests with this token/);
    assert.equal((await list(server, server.ours.predict)).status, 200);
  }, { requestsPerMinute: 100 }));

Deno.test("bytes of bodies are limited, whether their length is known or not", () =>
  withServer(async (server) => {
    const { admin: token } = server.ours;
    const send = (body: BodyInit, headers: Record<string, string> = {}) =>
      call(server, "/v1/keys", { method: "POST", token, body, headers });
    const stream = () => ReadableStream.from(Array.from({ length: 4 }, () => new Uint8Array(1024 * 1024)));
    await assertProblem(await send("x", { "content-length": "1000" }), "malformed_file");
    await assertProblem(
      await send(stream() as ReadableStream<Uint8Array<ArrayBuffer>>),
      "rate_limited",
      /bytes a minute/,
    );
    await assertProblem(await send("x", { "content-length": "1" }), "rate_limited", /bytes a minute/);
    assert.equal((await list(server, token)).status, 200);
  }, { uploadBytesPerMinute: 2 * 1024 * 1024 }));

Deno.test("an address that sends wrong tokens is refused for a while, other addresses and good tokens are not", () =>
  withServer(async (server) => {
    const from = (remoteAddress: string, token?: string) => call(server, "/v1/keys", { token, remoteAddress });
    assert.equal((await from("10.0.0.1", server.ours.predict)).status, 200);
    for (const token of [undefined, "guess", `sotto_${"0".repeat(16)}_${"A".repeat(43)}`]) {
      assert.equal((await from("10.0.0.1", token)).status, 401);
    }
    await assertProblem(await from("10.0.0.1", "guess"), "rate_limited", /from your address/);
    await assertProblem(await from("10.0.0.1", server.theirs.predict), "rate_limited");
    assert.equal((await from("10.0.0.1", server.ours.predict)).status, 200);
    assert.equal((await from("10.0.0.2", server.theirs.predict)).status, 200);
  }, { refusedTokensPerMinute: 3 }));

Deno.test("behind a proxy the address is the last one of the header that names it", () =>
  withServer(async (server) => {
    const from = (addresses: string) =>
      call(server, "/v1/keys", { remoteAddress: "10.0.0.9", headers: { "x-forwarded-for": addresses } });
    assert.equal((await from("1.1.1.1, 10.0.0.1")).status, 401);
    await assertProblem(await from("2.2.2.2, 10.0.0.1"), "rate_limited");
    assert.equal((await from("10.0.0.1, 10.0.0.2")).status, 401);
  }, { refusedTokensPerMinute: 1, addressHeader: "x-forwarded-for" }));

Deno.test("a tenant shows its limits, its tokens and what it has inside", () =>
  withServer(async (server) => {
    await changeTenant(server.database, "ours", { concurrentRequests: 7 });
    const shown = await (await call(server, "/v1/tenant", { token: server.ours.admin })).json();
    assert.equal(shown.name, "ours");
    assert.deepEqual(shown.limits, {
      requests_per_minute: 30_000,
      upload_bytes_per_minute: 2 ** 36,
      concurrent_requests: 7,
      queued_requests: 18,
    });
    assert.deepEqual([shown.active_tokens, shown.requests_inside], [2, 1]);
  }));

Deno.test("predictions of a tenant over its bound are refused with rate_limited while another tenant gets in", async () => {
  const held = heldBackend();
  await withServer(
    async (server) => {
      const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
      const pair = await registerPair(server);
      const file = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 1));
      const path = `/v1/models/${model.id}/predictions?key=${pair.id}`;
      const post = (token: string) => call(server, path, { method: "POST", token, body: file });
      await changeTenant(server.database, "ours", { queuedRequests: 2 });
      const inside = [post(server.ours.predict), post(server.ours.admin)];
      await until(() => held.waiting() === 2);
      const refused = await post(server.ours.predict);
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
      await assertProblem(refused, "rate_limited", /2 requests of this kind/);
      await assertProblem(await post(server.theirs.predict), "model_unknown");
      held.release();
      for (const answer of await Promise.all(inside)) assert.equal(answer.status, 200);
      assert.equal((await post(server.ours.predict)).status, 200);
    },
    {},
    held.backend,
  );
});

Deno.test("requests of a tenant beyond those that may be inside are refused", async () => {
  const held = heldBackend();
  await withServer(
    async (server) => {
      const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
      const pair = await registerPair(server);
      const file = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 1));
      const path = `/v1/models/${model.id}/predictions?key=${pair.id}`;
      const first = call(server, path, { method: "POST", token: server.ours.predict, body: file });
      await until(() => held.waiting() === 1);
      await assertProblem(await list(server, server.ours.admin), "rate_limited", /1 requests inside/);
      assert.equal((await list(server, server.theirs.predict)).status, 200);
      held.release();
      assert.equal((await first).status, 200);
      assert.equal((await list(server, server.ours.admin)).status, 200);
    },
    { concurrentRequests: 1 },
    held.backend,
  );
});
