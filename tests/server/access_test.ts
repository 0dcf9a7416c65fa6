import assert from "node:assert/strict";
import { changeTenant, createToken, revokeToken } from "../../db/mod.ts";
import { assertProblem } from "../support/problem.ts";
import { call, type TestServer, withServer } from "../support/server.ts";

const ID = "0".repeat(64);
const PROTECTED: [string, string][] = [
  ["POST", "/v1/keys"],
  ["GET", "/v1/keys"],
  ["GET", `/v1/keys/${ID}`],
  ["DELETE", `/v1/keys/${ID}`],
  ["POST", "/v1/models?name=x&format=xgboost"],
  ["GET", "/v1/models"],
  ["GET", `/v1/models/${ID}`],
  ["DELETE", `/v1/models/${ID}`],
  ["POST", `/v1/models/${ID}/predictions`],
  ["POST", "/v1/tokens"],
  ["GET", "/v1/tokens"],
  ["GET", "/v1/tokens/0123456789abcdef"],
  ["POST", "/v1/tokens/0123456789abcdef/rotation"],
  ["DELETE", "/v1/tokens/0123456789abcdef"],
  ["GET", "/v1/tenant"],
  ["GET", "/v1/audit"],
  ["GET", "/v1/nothing"],
];

const tokenFor = (server: TestServer, days: number) =>
  createToken(server.database, { tenant: server.ours.id, scopes: ["predict", "admin"], days });

Deno.test("every path below /v1 needs a valid token, before anything else is looked at", () =>
  withServer(async (server) => {
    const expired = await tokenFor(server, -1);
    const revoked = await tokenFor(server, 1);
    await revokeToken(server.database, revoked.id);
    const disabled = await createToken(server.database, { tenant: server.theirs.id, scopes: ["admin"], days: 1 });
    await changeTenant(server.database, "theirs", { disabledAt: new Date() });
    for (const [method, path] of PROTECTED) {
      const missing = await call(server, path, { method });
      assert.equal(missing.headers.get("www-authenticate"), "Bearer");
      await assertProblem(missing, "token_missing");
      await assertProblem(await call(server, path, { method, token: "wrong" }), "token_invalid");
      await assertProblem(await call(server, path, { method, token: expired.token }), "token_expired");
      await assertProblem(await call(server, path, { method, token: revoked.token }), "token_invalid", /revoked/);
      await assertProblem(await call(server, path, { method, token: disabled.token }), "tenant_disabled");
      const basic = { authorization: "Basic eDp5" };
      await assertProblem(await call(server, path, { method, headers: basic }), "token_invalid");
    }
  }));

Deno.test("what changes models or tokens, or shows the tenant or its audit log, needs the scope admin", () =>
  withServer(async (server) => {
    const token = server.ours.predict;
    for (
      const [method, path] of PROTECTED.filter(([method, path]) =>
        /tokens|tenant|audit/.test(path) || /models(\?|\/0+$)/.test(path) && method !== "GET"
      )
    ) {
      await assertProblem(await call(server, path, { method, token }), "scope_missing", /admin/);
    }
  }));

Deno.test("an admin makes, lists and revokes tokens of its own tenant", () =>
  withServer(async (server) => {
    const token = server.ours.admin;
    const json = { "content-type": "application/json" };
    const body = JSON.stringify({ scopes: ["predict"], days: 7 });
    const created = await call(server, "/v1/tokens", { method: "POST", token, headers: json, body });
    assert.equal(created.status, 201);
    const made = await created.json();
    assert.deepEqual(made.scopes, ["predict"]);
    assert.equal(Date.parse(made.expires_at) - Date.parse(made.created_at), 7 * 86_400_000);
    assert.equal((await call(server, "/v1/keys", { token: made.token })).status, 200);
    const listed = (await (await call(server, "/v1/tokens", { token })).json()).tokens;
    assert.equal(listed.length, 3);
    assert.equal(JSON.stringify(listed).includes(made.token), false);
    const path = `/v1/tokens/${made.id}`;
    await assertProblem(await call(server, path, { method: "DELETE", token: server.theirs.admin }), "token_unknown");
    assert.equal((await call(server, path, { method: "DELETE", token })).status, 204);
    await assertProblem(await call(server, "/v1/keys", { token: made.token }), "token_invalid", /revoked/);
  }));

Deno.test("an admin shows and rotates tokens of its own tenant; the old one lives through its grace time only", () =>
  withServer(async (server) => {
    const token = server.ours.admin;
    const post = (path: string, body: unknown, by = token) =>
      call(server, path, {
        method: "POST",
        token: by,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const first = await (await post("/v1/tokens", { name: "ward 7", scopes: ["predict"], days: 7 })).json();
    assert.equal((await call(server, "/v1/keys", { token: first.token })).status, 200);
    const path = `/v1/tokens/${first.id}`;
    const shown = await (await call(server, path, { token })).json();
    assert.equal(shown.name, "ward 7");
    assert.ok(Date.parse(shown.last_used_at) <= Date.now());
    await assertProblem(await call(server, path, { token: server.theirs.admin }), "token_unknown");
    await assertProblem(await post(`${path}/rotation`, {}, server.theirs.admin), "token_unknown");
    await assertProblem(await post(`${path}/rotation`, { grace_seconds: -1 }), "malformed_request", /grace_seconds/);
    const rotated = await post(`${path}/rotation`, { grace_seconds: 600 });
    assert.equal(rotated.status, 201);
    const second = await rotated.json();
    assert.deepEqual([second.name, second.scopes, second.old.replaced_by], ["ward 7", ["predict"], second.id]);
    assert.ok(Math.abs(Date.parse(second.old.expires_at) - Date.now() - 600_000) < 60_000);
    for (const good of [first, second]) {
      assert.equal((await call(server, "/v1/keys", { token: good.token })).status, 200);
    }
    await assertProblem(await post(`${path}/rotation`, {}), "conflict", /rotated before/);
    const third = await (await post(`/v1/tokens/${second.id}/rotation`, { grace_seconds: 0 })).json();
    await assertProblem(await call(server, "/v1/keys", { token: second.token }), "token_expired", new RegExp(third.id));
    assert.equal((await call(server, "/v1/keys", { token: third.token })).status, 200);
  }));

Deno.test("a request for a token that is wrong names every wrong field", () =>
  withServer(async (server) => {
    const post = (body: string, type = "application/json") =>
      call(server, "/v1/tokens", { method: "POST", token: server.ours.admin, headers: { "content-type": type }, body });
    await assertProblem(await post('{"scopes":[],"days":0}'), "malformed_request", /scopes: .*days: /);
    await assertProblem(await post('{"scopes":["root"]}'), "malformed_request", /scopes\.0: /);
    await assertProblem(await post('{"scopes":["predict"],"tenant":"x"}'), "malformed_request", /tenant/);
    await assertProblem(await post("{"), "malformed_request");
    await assertProblem(await post("scopes=predict", "application/x-www-form-urlencoded"), "malformed_request");
    await assertProblem(await post(`{"scopes":["${"x".repeat(70_000)}"]}`), "body_too_large");
  }));

Deno.test("neither tokens nor bodies nor queries reach the log", () =>
  withServer(async (server) => {
    const json = { "content-type": "application/json" };
    const body = JSON.stringify({ scopes: ["predict"] });
    const created = await call(server, "/v1/tokens", { method: "POST", token: server.ours.admin, headers: json, body });
    const { token } = await created.json();
    await call(server, "/v1/models?name=secretname&format=xgboost", { method: "POST", token, body: "secretbody" });
    const log = server.logged.join("\n");
    for (const secret of [token, server.ours.admin, "secretname", "secretbody"]) {
      assert.equal(log.includes(secret), false);
    }
    const line = JSON.parse(server.logged.at(-1)!);
    assert.equal(line.status, 403);
    assert.equal(line.code, "scope_missing");
    assert.equal(line.tenant, server.ours.id);
    assert.equal(typeof line.ms, "number");
  }));
