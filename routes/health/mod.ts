import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { problems } from "../problem.ts";
import type { Env, Services } from "../services.ts";

const liveSchema = z.object({ status: z.literal("ok") }).openapi("Live");
const readySchema = z.object({ status: z.literal("ok"), backend: z.string(), parameter_set: z.string() })
  .openapi("Ready", { example: { status: "ok", backend: "cpu/avx512ifma", parameter_set: "ring-2048-q50" } });

const live = createRoute({
  tags: ["health"],
  method: "get",
  path: "/healthz",
  summary: "The process answers",
  responses: { 200: { description: "It does", content: { "application/json": { schema: liveSchema } } } },
});

const ready = createRoute({
  tags: ["health"],
  method: "get",
  path: "/readyz",
  summary: "Database, object store and back end work",
  responses: {
    200: { description: "They do", content: { "application/json": { schema: readySchema } } },
    ...problems("database_unavailable", "store_corrupt", "backend_failed"),
  },
});

/** Adds the routes that tell whether the server works; they need no token. */
export function addHealthRoutes(app: OpenAPIHono<Env>, { database, store, backend }: Services): void {
  app.openapi(live, (c) => c.json({ status: "ok" as const }, 200));
  app.openapi(ready, async (c) => {
    await Promise.all([database.check(), store.check(), backend.unitCosts()]);
    return c.json({ status: "ok" as const, backend: backend.name, parameter_set: backend.parameterSet }, 200);
  });
}
