import { createMiddleware } from "hono/factory";
import type { Metrics } from "../../observation/mod.ts";
import { nameRequestSpan } from "../../observation/mod.ts";
import { routeTemplate } from "../route_template.ts";
import type { Env } from "../services.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const CIPHERTEXT = "application/octet-stream";

/** Counts every request when its answer begins, and names its span. Outermost of the middleware. */
export function requestMetrics(metrics: Metrics) {
  return createMiddleware<Env>(async (c, next) => {
    const start = performance.now();
    metrics.requestsRunning.inc();
    try {
      await next();
    } finally {
      metrics.requestsRunning.dec();
    }
    const [method, route] = [METHODS.includes(c.req.method) ? c.req.method : "other", routeTemplate(c)];
    const { status, headers } = c.res;
    const tenant = metrics.tenantLabel(c.get("caller")?.tenantId);
    metrics.requests.inc({ method, route, status, ...tenant });
    metrics.requestSeconds.observe({ method, route }, (performance.now() - start) / 1000);
    if (status === 429 || status === 503) metrics.refusals.inc({ code: c.get("errorCode") ?? "not_ready", ...tenant });
    countBytes(metrics, "in", c.req.header("content-type"), c.req.header("content-length"));
    countBytes(metrics, "out", headers.get("content-type"), headers.get("content-length"));
    nameRequestSpan(method, route, { "sotto.request_id": c.get("requestId") });
  });
}

function countBytes(metrics: Metrics, direction: "in" | "out", type?: string | null, length?: string | null): void {
  const bytes = Number(length);
  if (type === CIPHERTEXT && bytes > 0) metrics.ciphertextBytes.inc({ direction }, bytes);
}
