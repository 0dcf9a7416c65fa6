import { createRoute, z } from "@hono/zod-openapi";
import { SCOPES } from "../../db/mod.ts";
import { requireScope } from "../authentication.ts";
import { problems } from "../problem.ts";
import { BEARER, instantSchema } from "../schemas.ts";

const scopesSchema = z.array(z.enum(SCOPES)).min(1);

export const tokenSchema = z.object({
  id: z.string(),
  scopes: scopesSchema,
  created_at: instantSchema,
  expires_at: instantSchema,
  revoked_at: instantSchema.nullable(),
}).openapi("Token", {
  example: {
    id: "5f3759df1c2b3a49",
    scopes: ["predict"],
    created_at: "2026-03-01T12:00:00.000Z",
    expires_at: "2026-05-30T12:00:00.000Z",
    revoked_at: null,
  },
});

const requestSchema = z.strictObject({ scopes: scopesSchema, days: z.number().int().min(1).max(3650).default(90) })
  .openapi("NewToken", { example: { scopes: ["predict"], days: 90 } });

const shared = { tags: ["tokens"], security: BEARER, middleware: requireScope("admin") };
const ACCESS = ["token_missing", "token_invalid", "token_expired", "scope_missing", "internal"] as const;

export const makeToken = createRoute({
  ...shared,
  method: "post",
  path: "/v1/tokens",
  summary: "Make a token; its text is shown this once",
  request: { body: { required: true, content: { "application/json": { schema: requestSchema } } } },
  responses: {
    201: {
      description: "Made",
      content: { "application/json": { schema: tokenSchema.extend({ token: z.string() }).openapi("TokenOnce") } },
    },
    ...problems(...ACCESS, "malformed_request", "body_too_large"),
  },
});

export const showTokens = createRoute({
  ...shared,
  method: "get",
  path: "/v1/tokens",
  summary: "List the tokens of your tenant",
  responses: {
    200: {
      description: "Oldest first",
      content: { "application/json": { schema: z.object({ tokens: z.array(tokenSchema) }) } },
    },
    ...problems(...ACCESS),
  },
});

export const endToken = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/tokens/{id}",
  summary: "Revoke a token of your tenant",
  request: {
    params: z.object({
      id: z.string().regex(/^[0-9a-f]{16}$/, "must be 16 lower-case hex digits").openapi({
        example: "5f3759df1c2b3a49",
      }),
    }),
  },
  responses: { 204: { description: "Revoked" }, ...problems(...ACCESS, "malformed_request", "token_unknown") },
});
