import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";
import { serveMetrics } from "./metrics_server.ts";

async function withMetrics(work: (metrics: Metrics) => Promise<void>, options = {}): Promise<void> {
  const metrics = new Metrics(options);
  try {
    await work(metrics);
  } finally {
    metrics.close();
  }
}

Deno.test("tenants are labels only where they are asked for", async () => {
  await withMetrics(async (metrics) => {
    metrics.observeWork({ kind: "request", circuit: "leaves", tenant: "clinic" }, 0.5);
    const text = await metrics.text();
    assert.match(text, /sotto_work_seconds_count\{kind="request",circuit="leaves"\} 1/);
    assert.ok(!text.includes("clinic"));
  });
  await withMetrics(async (metrics) => {
    metrics.observeWork({ kind: "request", circuit: "leaves", tenant: "clinic" }, 0.5);
    assert.match(await metrics.text(), /sotto_work_seconds_count\{.*tenant="clinic"\} 1/);
  }, { tenants: true });
});

Deno.test("a collector that fails is counted and does not hide the others", () =>
  withMetrics(async (metrics) => {
    const good = metrics.gauge("sotto_test_good", "For this test.");
    metrics.onCollect(() => Promise.reject(new Error("the database is away")));
    metrics.onCollect(() => good.set(7));
    const text = await metrics.text();
    assert.match(text, /sotto_test_good 7/);
    assert.match(text, /sotto_collect_errors_total 1/);
  }));

Deno.test("collectors run once for readers that come together", () =>
  withMetrics(async (metrics) => {
    let runs = 0;
    metrics.onCollect(() => void runs++);
    await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    assert.equal(runs, 1);
  }));

Deno.test("the process and its event loop are shown", () =>
  withMetrics(async (metrics) => {
    const text = await metrics.text();
    const memory = Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
    assert.ok(memory > 1e6, text);
    for (const name of ["process_cpu_seconds_total", "sotto_event_loop_lag_seconds_count"]) {
      assert.match(text, new RegExp(`^${name} `, "m"));
    }
  }));

Deno.test("the port of the metrics asks for the token when there is one", () =>
  withMetrics(async (metrics) => {
    const address = { metricsHost: "127.0.0.1", metricsPort: 0, metricsToken: "a token of the metrics" };
    await using server = serveMetrics(address, metrics);
    const url = `http://127.0.0.1:${server.port}`;
    const status = async (path: string, token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await fetch(url + path, { headers });
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await status("/healthz"), 200);
    assert.equal(await status("/metrics"), 401);
    assert.equal(await status("/metrics", "another token"), 401);
    assert.equal(await status("/metrics", address.metricsToken), 200);
    assert.equal(await status("/v1/models", address.metricsToken), 404);
  }));

Deno.test("a port that cannot be had is a problem of the configuration", () =>
  withMetrics(async (metrics) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = { metricsHost: "127.0.0.1", metricsPort: taken.addr.port };
    assert.throws(() => serveMetrics(address, metrics), { code: "configuration_invalid" });
    await using none = serveMetrics({ metricsHost: "127.0.0.1" }, metrics);
    assert.equal(none.port, undefined);
  }));
