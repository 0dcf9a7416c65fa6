import assert from "node:assert/strict";
import { exportAudit, insertAudit } from "../../db/mod.ts";
import { fixtureRows, importFixture, registerPair, rowsFile } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";

interface Row {
  readonly action: string;
  readonly subject: string | null;
  readonly status: number;
  readonly code: string | null;
  readonly [key: string]: unknown;
}

/** The rows of the tenant, oldest first, once so many are written. */
async function rowsOf(server: TestServer, token: string, count: number): Promise<Row[]> {
  let rows: Row[] = [];
  await until(async () => {
    rows = (await (await call(server, "/v1/audit?limit=1000", { token })).json()).audit;
    return rows.length >= count;
  });
  assert.equal(rows.length, count);
  return rows.toReversed();
}

Deno.test("every request that changes, computes or hands out something leaves one row, with sizes and without data", () =>
  withServer(async (server) => {
    const { admin, predict } = server.ours;
    const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
    const pair = await registerPair(server);
    const file = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 1));
    const path = `/v1/models/${model.id}/predictions?key=${pair.id}`;
    const headers = { "content-length": String(file.length) };
    const answer = await call(server, path, { method: "POST", token: predict, body: file, headers });
    assert.equal(answer.status, 200);
    const json = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "a name", scopes: ["predict"] });
    const made = await (await call(server, "/v1/tokens", { method: "POST", token: admin, headers: json, body })).json();
    await call(server, `/v1/models/${"0".repeat(64)}`, { method: "DELETE", token: admin });
    await call(server, "/v1/keys/a%20secret", { method: "DELETE", token: admin });
    await call(server, "/v1/nowhere/secret", { method: "POST", token: admin });
    for (const read of ["/v1/models", "/v1/keys", `/v1/models/${model.id}`, "/v1/tokens", "/v1/tenant"]) {
      await call(server, read, { token: admin });
    }
    for (const open of ["/healthz", "/openapi.json", "/docs"]) await call(server, open);
    const rows = await rowsOf(server, admin, 7);
    const shown = rows.map(({ action, subject, status, code }) => [action, subject, status, code]);
    assert.deepEqual(shown, [
      ["POST /v1/models", model.id, 201, null],
      ["POST /v1/keys", pair.id, 201, null],
      ["POST /v1/models/{id}/predictions", model.id, 200, null],
      ["POST /v1/tokens", made.id, 201, null],
      ["DELETE /v1/models/{id}", "0".repeat(64), 404, "model_unknown"],
      ["DELETE /v1/keys/{id}", null, 400, "malformed_request"],
      ["POST unmatched", null, 404, "route_unknown"],
    ]);
    const [, , prediction] = rows;
    assert.equal(prediction.bytes_in, file.length);
    assert.equal(prediction.bytes_out, Number(answer.headers.get("content-length")));
    assert.equal(prediction.request_id, answer.headers.get("x-request-id"));
    assert.equal(typeof prediction.token, "string");
    for (const secret of ["secret", "a name", made.token, predict]) {
      assert.equal(JSON.stringify(rows).includes(secret), false);
    }
  }));

Deno.test("a tenant reads its own rows only, page by page, in a range of time", () =>
  withServer(async (server) => {
    const row = (tenantId: string, day: number) => ({
      ...{ at: new Date(Date.UTC(2026, 0, day)), tenantId, tokenId: null, action: `day ${day}`, subject: null },
      ...{ bytesIn: null, bytesOut: null, status: 200, code: null, requestId: "r", ms: 0 },
    });
    const days = Array.from({ length: 9 }, (_, index) => index + 1);
    await insertAudit(server.database, days.map((day) => row(server.ours.id, day)));
    await insertAudit(server.database, [row(server.theirs.id, 5)]);
    const token = server.ours.admin;
    const page = async (query: string) => await (await call(server, `/v1/audit?${query}`, { token })).json();
    const actions = ({ audit }: { audit: Row[] }) => audit.map(({ action }) => action);
    const first = await page("limit=4");
    assert.deepEqual(actions(first), ["day 9", "day 8", "day 7", "day 6"]);
    const second = await page(`limit=4&cursor=${first.next}`);
    assert.deepEqual(actions(second), ["day 5", "day 4", "day 3", "day 2"]);
    const third = await page(`limit=4&cursor=${second.next}`);
    assert.deepEqual([actions(third), third.next], [["day 1"], null]);
    const range = await page("since=2026-01-03T00:00:00Z&until=2026-01-05T00:00:00Z");
    assert.deepEqual(actions(range), ["day 4", "day 3"]);
    await assertProblem(
      await call(server, "/v1/audit?limit=0&cursor=x", { token }),
      "malformed_request",
      /limit.*cursor/,
    );
  }));

Deno.test("rows that are not written yet are written when the server stops", () =>
  withServer(async (server) => {
    await call(server, `/v1/keys/${"0".repeat(64)}`, { method: "DELETE", token: server.ours.predict });
    await server.app.drain(5);
    const rows = await Array.fromAsync(exportAudit(server.database, { tenantId: server.ours.id }));
    assert.deepEqual(rows.map(({ action, code }) => [action, code]), [["DELETE /v1/keys/{id}", "key_unknown"]]);
  }));

Deno.test("rows older than the configured days are removed", () =>
  withServer(async (server) => {
    const old = {
      ...{ at: new Date(Date.now() - 3 * 86_400_000), tenantId: server.ours.id, tokenId: null, action: "old" },
      ...{ subject: null, bytesIn: null, bytesOut: null, status: 200, code: null, requestId: "r", ms: 0 },
    };
    await insertAudit(server.database, [old, { ...old, at: new Date(), action: "new" }]);
    await call(server, `/v1/keys/${"0".repeat(64)}`, { method: "DELETE", token: server.ours.predict });
    await until(async () => {
      const rows = await Array.fromAsync(exportAudit(server.database, { tenantId: server.ours.id }));
      return rows.length === 2 && rows.every(({ action }) => action !== "old");
    });
  }, { auditDays: 2 }));
