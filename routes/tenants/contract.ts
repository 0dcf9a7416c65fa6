import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { ACCESS, problems } from "../problem.ts";
import { BEARER, instantSchema } from "../schemas.ts";

const TENANT = {
  id: "0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a",
  name: "clinic",
  created_at: "2026-03-01T12:00:00.000Z",
  limits: {
    requests_per_minute: 30_000,
    upload_bytes_per_minute: 68_719_476_736,
    concurrent_requests: 1024,
    queued_requests: 18,
  },
  active_tokens: 3,
  requests_inside: 1,
};

const limitSchema = (description: string) => z.number().int().openapi({ description });

export const tenantSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  created_at: instantSchema,
  limits: z.object({
    requests_per_minute: limitSchema("Requests in a minute, at all servers together"),
    upload_bytes_per_minute: limitSchema("Bytes of bodies in a minute, at all servers together"),
    concurrent_requests: limitSchema("Requests inside at the same time"),
    queued_requests: limitSchema("Predictions that compute or wait"),
  }),
  active_tokens: z.number().int().openapi({ description: "Tokens that are good now" }),
  requests_inside: z.number().int().openapi({ description: "Requests inside now, this one included" }),
}).openapi("Tenant", { example: TENANT });

export const showTenant = createRoute({
  tags: ["tenants"],
  security: BEARER,
  middleware: requireScope("admin"),
  method: "get",
  path: "/v1/tenant",
  operationId: "getTenant",
  summary: "Show your tenant and its limits",
  description: "Limits are set by the operator of the server; what goes beyond them is answered `rate_limited`.",
  responses: {
    200: { description: "The tenant of the token", content: { "application/json": { schema: tenantSchema } } },
    ...problems(...ACCESS),
  },
});
