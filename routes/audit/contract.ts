import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { ACCESS, problems } from "../problem.ts";
import { BEARER, instantSchema } from "../schemas.ts";

const ROW = {
  id: 1207,
  at: "2026-03-01T12:00:00.000Z",
  token: "5f3759df1c2b3a49",
  action: "POST /v1/models/{id}/predictions",
  subject: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  bytes_in: 12_416,
  bytes_out: 26_744,
  status: 200,
  code: null,
  request_id: "1b6f1f0e-5d33-4a5e-9c5e-0a4c6a6a3a10",
  ms: 41,
};

const bytesSchema = z.number().int().nonnegative().nullable();

export const auditRowSchema = z.object({
  id: z.number().int(),
  at: instantSchema,
  token: z.string().nullable().openapi({ description: "Id of the token; null: done on the server's machine" }),
  action: z.string().openapi({ description: "Method and path, ids left out" }),
  subject: z.string().nullable().openapi({ description: "The ids of the path and of what was made, with slashes" }),
  bytes_in: bytesSchema,
  bytes_out: bytesSchema.openapi({ description: "Null when the answer has no length of its own" }),
  status: z.number().int(),
  code: z.string().nullable().openapi({ description: "The code of the problem that was answered" }),
  request_id: z.string(),
  ms: z.number().int().nonnegative().openapi({ description: "Until the answer began" }),
}).openapi("AuditRow", { example: ROW });

const querySchema = z.object({
  since: z.iso.datetime({ offset: true }).optional().openapi({
    description: "Rows from then on",
    example: "2026-03-01T00:00:00Z",
  }),
  until: z.iso.datetime({ offset: true }).optional().openapi({
    description: "Rows before then",
    example: "2026-04-01T00:00:00Z",
  }),
  limit: z.coerce.number().int().min(1).max(1000).default(100).openapi({ example: 100 }),
  cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: "`next` of the page before",
    example: 1207,
  }),
});

export const showAudit = createRoute({
  tags: ["audit"],
  security: BEARER,
  middleware: requireScope("admin"),
  method: "get",
  path: "/v1/audit",
  operationId: "listAudit",
  summary: "List what was asked for in your tenant's name",
  description:
    "One row for every request that changed, computed or handed out something, written within a second of its answer; requests that were refused for a rate or without a good token leave none. Rows hold ids and sizes, never data.",
  request: { query: querySchema },
  responses: {
    200: {
      description: "One page, newest first",
      content: {
        "application/json": {
          schema: z.object({
            audit: z.array(auditRowSchema),
            next: z.number().int().nullable().openapi({ description: "Null on the last page" }),
          }).openapi("AuditPage", { example: { audit: [ROW], next: null } }),
        },
      },
    },
    ...problems(...ACCESS, "malformed_request"),
  },
});
