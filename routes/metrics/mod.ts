import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { SottoError } from "../../errors.ts";
import { isBearer } from "../../observation/mod.ts";
import { problems } from "../problem.ts";
import type { Env, Services } from "../services.ts";

export { requestMetrics } from "./request_metrics.ts";
export { watchServices } from "./watch_services.ts";

const readMetrics = createRoute({
  tags: ["health"],
  method: "get",
  path: "/metrics",
  operationId: "readMetrics",
  summary: "Metrics of this process for Prometheus",
  description: "Needs the bearer token that the server's operator set as SOTTO_METRICS_TOKEN, not one of a tenant.",
  security: [{ bearer: [] }],
  responses: {
    200: {
      description: "Prometheus' text format",
      content: { "text/plain": { schema: z.string(), example: 'sotto_kernel_threads{backend="cpu/avx2"} 4\n' } },
    },
    ...problems("token_missing", "token_invalid", "route_unknown"),
  },
});

/** Adds `/metrics`; without a configured token it is as unknown as any other path. */
export function addMetricsRoute(app: OpenAPIHono<Env>, { metrics, config }: Services): void {
  app.openapi(readMetrics, async (c) => {
    requireToken(config.metricsToken, c.req.header("authorization"));
    return c.text(await metrics.text(), 200, { "content-type": metrics.contentType, "cache-control": "no-store" });
  });
}

function requireToken(expected: string | undefined, header: string | undefined): void {
  if (expected === undefined) {
    throw new SottoError("route_unknown", "metrics are not shown here: the operator sets SOTTO_METRICS_TOKEN or _PORT");
  }
  if (header === undefined) throw new SottoError("token_missing", "send the token of the metrics as a bearer token");
  if (isBearer(header, expected)) return;
  throw new SottoError("token_invalid", "this is not the token of the metrics: ask the operator of the server");
}
