import assert from "node:assert/strict";
import { plainBackend } from "../../circuits/plain.ts";
import { newKeys } from "../../client/mod.ts";
import { assertProblem } from "../support/problem.ts";
import { call, withServer } from "../support/server.ts";

Deno.test("unknown paths and wrong methods are problems, with the methods that would do", () =>
  withServer(async (server) => {
    await assertProblem(await call(server, "/nothing"), "route_unknown");
    const token = server.ours.admin;
    await assertProblem(await call(server, "/v1/nothing", { token }), "route_unknown");
    const wrong = await call(server, "/v1/keys", { method: "PUT", token });
    assert.deepEqual(wrong.headers.get("allow")?.split(", ").sort(), ["GET", "HEAD", "POST"]);
    await assertProblem(wrong, "method_not_allowed");
    await assertProblem(await call(server, "/healthz", { method: "DELETE" }), "method_not_allowed");
    await assertProblem(await call(server, "/v1/keys", { method: "PUT" }), "token_missing");
  }));

Deno.test("every answer carries a request id and the security headers", () =>
  withServer(async (server) => {
    for (const path of ["/healthz", "/nothing", "/v1/keys", "/docs", "/openapi.json"]) {
      const answer = await call(server, path, { headers: { "x-request-id": "mine-1" } });
      await answer.body?.cancel();
      assert.equal(answer.headers.get("x-request-id"), "mine-1");
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      assert.equal(answer.headers.get("x-frame-options"), "DENY");
      assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
      assert.equal(answer.headers.get("x-powered-by"), null);
    }
    const keys = await call(server, "/v1/keys", { token: server.ours.predict });
    assert.equal(keys.headers.get("cache-control"), "no-store");
    await keys.body?.cancel();
  }));

Deno.test("an unforeseen error is internal: its detail is in the log only", async () => {
  const { evaluationFile } = await newKeys(plainBackend());
  const backend = plainBackend();
  backend.loadEvaluationKeys = () => Promise.reject(new Error("detail of the inside"));
  await withServer(
    async (server) => {
      const sent = { method: "POST", token: server.ours.admin, body: new Uint8Array(evaluationFile) };
      const answer = await call(server, "/v1/keys", sent);
      const text = await answer.clone().text();
      assert.equal(text.includes("inside"), false);
      await assertProblem(answer, "internal", /request id/);
      const line = server.logged.find((line) => line.includes("detail of the inside"));
      assert.equal(JSON.parse(line!).request_id, JSON.parse(text).request_id);
    },
    {},
    backend,
  );
});

Deno.test("the OpenAPI document is version 3.1 and describes every route with its errors", () =>
  withServer(async (server) => {
    const document = await (await call(server, "/openapi.json")).json();
    assert.equal(document.openapi, "3.1.0");
    const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
      );
    assert.deepEqual(operations.map(({ path, method }) => `${method} ${path}`).sort(), [
      "delete /v1/base-models/{id}",
      "delete /v1/fine-tuning-sessions/{id}",
      "delete /v1/jobs/{id}",
      "delete /v1/keys/{id}",
      "delete /v1/models/{id}",
      "delete /v1/tokens/{id}",
      "delete /v1/training-sessions/{id}",
      "delete /v1/training-sessions/{id}/owners/{owner}",
      "get /healthz",
      "get /metrics",
      "get /readyz",
      "get /v1/audit",
      "get /v1/base-models",
      "get /v1/base-models/{id}",
      "get /v1/base-models/{id}/public",
      "get /v1/base-models/{id}/tokenizer",
      "get /v1/fine-tuning-sessions",
      "get /v1/fine-tuning-sessions/{id}",
      "get /v1/fine-tuning-sessions/{id}/masks/{group}",
      "get /v1/jobs",
      "get /v1/jobs/{id}",
      "get /v1/jobs/{id}/answers",
      "get /v1/jobs/{id}/events",
      "get /v1/keys",
      "get /v1/keys/{id}",
      "get /v1/models",
      "get /v1/models/{id}",
      "get /v1/tenant",
      "get /v1/tokens",
      "get /v1/tokens/{id}",
      "get /v1/training-sessions",
      "get /v1/training-sessions/{id}",
      "get /v1/training-sessions/{id}/events",
      "get /v1/training-sessions/{id}/order",
      "get /v1/training-sessions/{id}/public",
      "get /v1/training-sessions/{id}/weights",
      "post /v1/base-models",
      "post /v1/fine-tuning-sessions",
      "post /v1/fine-tuning-sessions/{id}/products",
      "post /v1/keys",
      "post /v1/models",
      "post /v1/models/{id}/predictions",
      "post /v1/tokens",
      "post /v1/tokens/{id}/rotation",
      "post /v1/training-sessions",
      "post /v1/training-sessions/{id}/finish",
      "post /v1/training-sessions/{id}/owners",
      "post /v1/training-sessions/{id}/pause",
      "post /v1/training-sessions/{id}/predictions",
      "post /v1/training-sessions/{id}/resume",
      "post /v1/training-sessions/{id}/runs",
      "put /v1/training-sessions/{id}/batches/{batch}",
      "put /v1/training-sessions/{id}/keys",
      "put /v1/training-sessions/{id}/order",
      "put /v1/training-sessions/{id}/weights",
    ]);
    for (const { path, operation } of operations) {
      assert.equal(typeof operation.summary, "string");
      if (!path.startsWith("/v1")) continue;
      assert.deepEqual(operation.security, [{ bearer: [] }]);
      assert.ok(operation.responses["401"].content["application/problem+json"]);
    }
    const schemas = document.components.schemas as Record<string, { example?: unknown }>;
    for (const name of ["EvaluationKeys", "Job", "Token", "Problem", "Source"]) assert.ok(schemas[name].example, name);
  }));

interface Operation {
  summary: string;
  security?: unknown;
  responses: Record<string, { content: Record<string, unknown> }>;
}

Deno.test("the documentation page loads nothing from elsewhere", () =>
  withServer(async (server) => {
    const page = await (await call(server, "/docs")).text();
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    assert.equal(addresses.length, 3);
    for (const address of addresses) {
      assert.match(address, /^\/docs\//);
      const asset = await call(server, address);
      assert.equal(asset.status, 200);
      await asset.body?.cancel();
    }
    const policy = (await call(server, "/docs")).headers.get("content-security-policy") ?? "";
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.equal(/https?:/.test(policy), false);
  }));
