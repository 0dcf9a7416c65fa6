import assert from "node:assert/strict";
import { assertProblem } from "../support/problem.ts";
import { fixtureRows, importFixture, registerPair, rowsFile } from "../support/fixtures.ts";
import { call, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const METRICS_TOKEN = "the token of the metrics";

async function metricsOf(server: TestServer): Promise<string> {
  const answer = await call(server, "/metrics", { token: METRICS_TOKEN });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=/);
  return await answer.text();
}

/** The value of a series, labels in any order. */
function valueOf(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const found = text.split("\n").find((line) => {
    return new RegExp(`^${name}[{ ]`).test(line) && wanted.every((label) => line.includes(label));
  });
  return Number(found?.split(" ").at(-1) ?? NaN);
}

async function predictSome(server: TestServer): Promise<number> {
  const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
  const pair = await registerPair(server);
  const body = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 3));
  const path = `/v1/models/${model.id}/predictions?key=${pair.id}`;
  for (let i = 0; i < 2; i++) {
    const answer = await call(server, path, {
      method: "POST",
      token: server.ours.predict,
      body,
      headers: { "content-type": "application/octet-stream", "content-length": String(body.byteLength) },
    });
    assert.equal(answer.status, 200, answer.ok ? "" : await answer.text());
    await answer.body?.cancel();
  }
  return body.byteLength;
}

Deno.test("metrics are for whoever has their token, and unknown where none is configured", async () => {
  await withServer(async (server) => {
    await assertProblem(await call(server, "/metrics"), "token_missing");
    await assertProblem(await call(server, "/metrics", { token: server.ours.admin }), "token_invalid");
    await metricsOf(server);
  }, { metricsToken: METRICS_TOKEN });
  await withServer(async (server) => {
    await assertProblem(await call(server, "/metrics", { token: METRICS_TOKEN }), "route_unknown");
  });
});

Deno.test("requests, rows, ciphertexts, caches, gates and plans are counted under names without ids", () =>
  withServer(async (server) => {
    const bytes = await predictSome(server);
    await assertProblem(
      await call(server, `/v1/models/${"0".repeat(64)}`, { token: server.ours.predict }),
      "model_unknown",
    );
    await assertProblem(await call(server, "/nothing"), "route_unknown");
    const text = await metricsOf(server);
    const route = "/v1/models/{id}/predictions";
    assert.equal(valueOf(text, "sotto_http_requests_total", { method: "POST", route, status: "200" }), 2);
    assert.equal(valueOf(text, "sotto_http_request_seconds_count", { method: "POST", route }), 2);
    assert.equal(valueOf(text, "sotto_http_requests_total", { route: "/v1/models/{id}", status: "404" }), 1);
    assert.equal(valueOf(text, "sotto_http_requests_total", { route: "unmatched", status: "404" }), 1);
    assert.equal(valueOf(text, "sotto_rows_total", { circuit: "leaves" }), 6);
    assert.equal(valueOf(text, "sotto_work_seconds_count", { kind: "request", circuit: "leaves" }), 2);
    assert.equal(valueOf(text, "sotto_work_seconds_count", { kind: "import", circuit: "leaves" }), 1);
    assert.equal(valueOf(text, "sotto_model_failure_log2_count", { circuit: "leaves" }), 1);
    assert.ok(valueOf(text, "sotto_ciphertext_bytes_total", { direction: "in" }) >= 2 * bytes);
    assert.ok(valueOf(text, "sotto_ciphertext_bytes_total", { direction: "out" }) > 0);
    assert.equal(valueOf(text, "sotto_cache_lookups_total", { cache: "prepared_keys", outcome: "hit" }), 1);
    assert.ok(valueOf(text, "sotto_cache_lookups_total", { cache: "prepared_keys", outcome: "miss" }) >= 1);
    assert.ok(valueOf(text, "sotto_cache_weight", { cache: "prepared_keys" }) > 0);
    assert.equal(valueOf(text, "sotto_gate_depth", { gate: "predictions", state: "waiting" }), 0);
    assert.equal(valueOf(text, "sotto_kernel_threads", { backend: "plain" }), server.backend.threads);
    assert.ok(valueOf(text, "sotto_disk_free_bytes") > 0);
    assert.equal(valueOf(text, "sotto_database_connections_max"), 1);
    for (const id of [server.ours.id, "nothing"]) assert.equal(text.includes(id), false, id);
    assert.equal(/[0-9a-f]{32}/.test(text), false);
  }, { metricsToken: METRICS_TOKEN }));

Deno.test("tenants are shown where the operator wants them", () =>
  withServer(async (server) => {
    await predictSome(server);
    const text = await metricsOf(server);
    const tenant = server.ours.id;
    assert.equal(valueOf(text, "sotto_http_requests_total", { route: "/v1/models/{id}/predictions", tenant }), 2);
    assert.equal(valueOf(text, "sotto_work_seconds_count", { kind: "request", circuit: "leaves", tenant }), 2);
  }, { metricsToken: METRICS_TOKEN, metricsTenants: true }));

Deno.test("jobs are counted by queue, state and outcome", () =>
  withServer(async (server) => {
    const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
    const pair = await registerPair(server);
    const body = await rowsFile(server, pair, model, await fixtureRows("wdbc_rows.csv", 3));
    const answer = await call(server, `/v1/models/${model.id}/predictions?key=${pair.id}`, {
      method: "POST",
      token: server.ours.predict,
      body,
      headers: { prefer: "respond-async", "content-type": "application/octet-stream" },
    });
    assert.equal(answer.status, 202, answer.ok ? "" : await answer.text());
    await answer.body?.cancel();
    await until(async () => {
      return valueOf(await metricsOf(server), "sotto_jobs", { kind: "prediction", state: "succeeded" }) === 1;
    }, 60);
    const text = await metricsOf(server);
    assert.equal(valueOf(text, "sotto_job_parts_total", { kind: "prediction", outcome: "done" }), 1);
    assert.equal(valueOf(text, "sotto_work_seconds_count", { kind: "prediction", circuit: "leaves" }), 1);
    assert.equal(valueOf(text, "sotto_workers"), 1);
    assert.match(text, /^# TYPE sotto_queue_parts gauge$/m);
    assert.match(text, /^# TYPE sotto_queue_oldest_seconds gauge$/m);
  }, { metricsToken: METRICS_TOKEN }));

Deno.test("refusals are counted by their code", () =>
  withServer(async (server) => {
    await server.app.drain(0);
    await assertProblem(await call(server, "/v1/keys", { token: server.ours.predict }), "busy");
    assert.equal(valueOf(await metricsOf(server), "sotto_refusals_total", { code: "busy" }), 1);
  }, { metricsToken: METRICS_TOKEN }));

Deno.test("every metric of the dashboard exists", () =>
  withServer(async (server) => {
    const path = new URL("../../docs/operations/grafana.json", import.meta.url);
    const dashboard = JSON.parse(await Deno.readTextFile(path));
    const targets = dashboard.panels.flatMap((panel: { targets?: { expr: string }[] }) => panel.targets ?? []);
    const names = new Set<string>(
      targets.flatMap(({ expr }: { expr: string }) => expr.match(/\b(sotto|process)_[a-z0-9_]+/g) ?? []),
    );
    assert.ok(names.size > 20);
    const known = new Set(["sotto_tls_certificate_end_seconds"]);
    for (const [, name, type] of (await metricsOf(server)).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      const parts = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      for (const part of parts) known.add(name + part);
    }
    assert.deepEqual([...names].filter((name) => !known.has(name)), []);
    const ids = dashboard.panels.map(({ id }: { id: number }) => id);
    assert.equal(new Set(ids).size, ids.length);
  }, { metricsToken: METRICS_TOKEN }));
