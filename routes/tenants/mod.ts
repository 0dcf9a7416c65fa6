import type { OpenAPIHono } from "@hono/zod-openapi";
import { countActiveTokens } from "../../db/mod.ts";
import { limitsOf } from "../limits/mod.ts";
import type { Env, Services } from "../services.ts";
import { showTenant } from "./contract.ts";

/** Adds the route of the caller's own tenant; tenants are made and changed on the server's machine only. */
export function addTenantRoutes(app: OpenAPIHono<Env>, { config, database, limits }: Services): void {
  app.openapi(showTenant, async (c) => {
    const { tenant } = c.get("caller");
    const effective = limitsOf(config, tenant);
    return c.json({
      id: tenant.id,
      name: tenant.name,
      created_at: tenant.createdAt.toISOString(),
      limits: {
        requests_per_minute: effective.requestsPerMinute,
        upload_bytes_per_minute: effective.uploadBytesPerMinute,
        concurrent_requests: effective.concurrentRequests,
        queued_requests: effective.queuedRequests,
      },
      active_tokens: await countActiveTokens(database, tenant.id),
      requests_inside: limits.load.of(tenant.id).requests,
    }, 200);
  });
}
