import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Env, Services } from "../services.ts";
import { CHECKS, Readiness } from "./readiness.ts";

export { freeBytes } from "./readiness.ts";

const liveSchema = z.object({ status: z.literal("ok") }).openapi("Live");
const readySchema = z.object({
  status: z.enum(["ok", "failed"]),
  backend: z.string(),
  parameter_set: z.string(),
  checks: z.array(z.object({
    name: z.enum(CHECKS),
    ok: z.boolean(),
    detail: z.string().optional().openapi({ description: "What is wrong" }),
  })),
}).openapi("Ready", {
  example: {
    status: "ok",
    backend: "cpu/avx512ifma",
    parameter_set: "ring-2048-q50",
    checks: CHECKS.map((name) => ({ name, ok: true })),
  },
});
const readyContent = { "application/json": { schema: readySchema } };

const live = createRoute({
  tags: ["health"],
  security: [],
  method: "get",
  path: "/healthz",
  operationId: "checkLive",
  summary: "The process answers",
  description: "For the supervisor of the process: it touches nothing else.",
  responses: { 200: { description: "It does", content: { "application/json": { schema: liveSchema } } } },
});

const ready = createRoute({
  tags: ["health"],
  security: [],
  method: "get",
  path: "/readyz",
  operationId: "checkReady",
  summary: "The server can work",
  description:
    "For the load balancer: the database answers, its schema is of this version, the object store takes objects, the kernels " +
    "give known answers, the disk has room, and the server is not stopping. The outcomes are a second old at most.",
  responses: {
    200: { description: "Every check passes", content: readyContent },
    503: { description: "A check fails", content: readyContent },
  },
});

/** Adds the routes that tell whether the server works; they need no token. */
export function addHealthRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { backend } = services;
  const readiness = new Readiness(services);
  app.openapi(live, (c) => c.json({ status: "ok" as const }, 200));
  app.openapi(ready, async (c) => {
    const checks = await readiness.results();
    const isReady = checks.every(({ ok }) => ok);
    const parts = { backend: backend.name, parameter_set: backend.parameterSet, checks };
    c.header("cache-control", "no-store");
    return isReady
      ? c.json({ status: "ok" as const, ...parts }, 200)
      : c.json({ status: "failed" as const, ...parts }, 503);
  });
}
