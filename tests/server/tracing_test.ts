import assert from "node:assert/strict";
import { encryptRows, newKeys, openSecretKey, SottoClient } from "../../client/mod.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { makeDataFolder } from "../support/data_folder.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";
import { startServerProcess } from "../support/server_process.ts";
import { until } from "../support/until.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: { key: string; value: { stringValue?: string } }[];
}

/** Receives spans as OTLP in JSON over HTTP. */
function startReceiver() {
  const spans: Span[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = await request.json();
    for (const { scopeSpans } of body.resourceSpans ?? []) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    return Response.json({});
  });
  return { spans, url: `http://127.0.0.1:${server.addr.port}`, stop: () => server.shutdown() };
}

/** The span's ancestors, nearest first, by name. */
function ancestors(spans: Span[], span: Span): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? [] : [parent.name, ...ancestors(spans, parent)];
}

Deno.test("a request, its circuit, its kernel calls and the parts of its job are spans of one trace", async () => {
  const receiver = startReceiver();
  const dataDir = await makeDataFolder();
  const server = await startServerProcess(dataDir, {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "200",
  });
  const backend = plainBackend();
  try {
    const client = new SottoClient(server.url, server.token);
    const { secretFile, evaluationFile } = await newKeys(backend);
    const secret = await openSecretKey(backend, secretFile);
    const keys = await client.registerKeys(evaluationFile);
    const model = await client.importModel({
      file: await fixture("wdbc_xgb50x3.json"),
      format: "xgboost",
      name: "traced",
    });
    const { file } = await encryptRows(backend, secret, model, await fixtureRows("wdbc_rows.csv", 2));
    for (const prefer of ["wait", "respond-async"]) {
      const answer = await fetch(`${server.url}/v1/models/${model.id}/predictions?key=${keys.id}`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.token}`, prefer, "content-type": "application/octet-stream" },
        body: new Uint8Array(file),
      });
      assert.ok(answer.ok, answer.ok ? "" : await answer.text());
      await answer.body?.cancel();
    }
    const route = "POST /v1/models/{id}/predictions";
    const kernels = () =>
      receiver.spans.filter(({ name }) => name === "kernel evaluateLeaves").map((span) =>
        ancestors(receiver.spans, span)
      );
    await until(() => kernels().length >= 2 && kernels().every((names) => names.includes(route)), 60);
    assert.deepEqual(kernels().map((names) => names.join(" < ")).sort(), [
      `circuit leaves < ${route}`,
      `circuit leaves < part prediction < ${route}`,
    ]);
    const request = receiver.spans.find(({ name }) => name === route);
    const attribute = (key: string) => request?.attributes?.find((found) => found.key === key)?.value.stringValue;
    assert.equal(attribute("http.route"), "/v1/models/{id}/predictions");
    assert.match(attribute("sotto.request_id") ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(JSON.stringify(receiver.spans).includes(server.token), false);
  } finally {
    await server.end("SIGTERM");
    await receiver.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
});
