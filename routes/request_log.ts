import { createMiddleware } from "hono/factory";
import type { Log } from "../jobs/mod.ts";
import { traceIdOf } from "../observation/mod.ts";
import type { Env } from "./services.ts";

/** One line a request, when its answer begins: who, what, how long; no body, no query, no token. */
export function requestLog(log: Log) {
  return createMiddleware<Env>(async (c, next) => {
    const start = performance.now();
    await next();
    log.info("request answered", {
      request_id: c.get("requestId"),
      trace_id: traceIdOf(),
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      code: c.get("errorCode"),
      ms: Math.round(performance.now() - start),
      tenant: c.get("caller")?.tenantId,
      token: c.get("caller")?.id,
      request_bytes: c.req.header("content-length"),
      answer_bytes: c.res.headers.get("content-length") ?? undefined,
    });
  });
}
