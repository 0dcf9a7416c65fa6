import { createRoute, z } from "@hono/zod-openapi";
import { SCOPES } from "../../db/mod.ts";
import { requireScope } from "../authentication.ts";
import { ACCESS, problems } from "../problem.ts";
import { BEARER, instantSchema } from "../schemas.ts";

const scopesSchema = z.array(z.enum(SCOPES)).min(1);
const nameSchema = z.string().regex(
  // deno-lint-ignore no-control-regex -- control characters are what it refuses
  /^[^\u0000-\u001f\u007f-\u009f]{0,100}$/,
  "must be at most 100 characters, none of them a control character",
);
const daysSchema = z.number().int().min(1).max(3650).default(90);
const rateSchema = z.number().int().min(1).max(1_000_000_000).nullable();
const idSchema = z.string().regex(/^[0-9a-f]{16}$/, "must be 16 lower-case hex digits");

const TOKEN = {
  id: "5f3759df1c2b3a49",
  name: "ward 7",
  scopes: ["predict" as const],
  created_at: "2026-03-01T12:00:00.000Z",
  expires_at: "2026-05-30T12:00:00.000Z",
  revoked_at: null,
  last_used_at: "2026-03-02T08:15:00.000Z",
  replaced_by: null,
  requests_per_minute: null,
};
const SECRET = "sotto_5f3759df1c2b3a49_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const OLD = { ...TOKEN, id: "0123456789abcdef", replaced_by: TOKEN.id, expires_at: "2026-03-01T13:00:00.000Z" };

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string().openapi({ description: "What the token is for, for people" }),
  scopes: scopesSchema,
  created_at: instantSchema,
  expires_at: instantSchema,
  revoked_at: instantSchema.nullable(),
  last_used_at: instantSchema.nullable().openapi({ description: "To the minute" }),
  replaced_by: z.string().nullable().openapi({ description: "Id of the token that took its place" }),
  requests_per_minute: rateSchema.openapi({ description: "Null: no other limit than the tenant's" }),
}).openapi("Token", { example: TOKEN });

const tokenOnceSchema = tokenSchema.extend({ token: z.string() })
  .openapi("TokenOnce", { example: { ...TOKEN, token: SECRET } });

const requestSchema = z.strictObject({
  name: nameSchema.default(""),
  scopes: scopesSchema,
  days: daysSchema,
  requests_per_minute: rateSchema.default(null),
}).openapi("NewToken", { example: { name: "ward 7", scopes: ["predict"], days: 90 } });

export const rotationSchema = z.strictObject({
  days: daysSchema,
  grace_seconds: z.number().int().min(0).max(30 * 86_400).default(3600).openapi({
    description: "How long the old token stays good; 0 ends it at once",
  }),
}).openapi("TokenRotation", { example: { days: 90, grace_seconds: 3600 } });

const shared = { tags: ["tokens"], security: BEARER, middleware: requireScope("admin") };
const params = z.object({ id: idSchema.openapi({ example: TOKEN.id }) });

export const makeToken = createRoute({
  ...shared,
  method: "post",
  path: "/v1/tokens",
  operationId: "createToken",
  summary: "Make a token; its text is shown this once",
  description: "The server keeps a hash only: a token that is lost is revoked and made anew.",
  request: { body: { required: true, content: { "application/json": { schema: requestSchema } } } },
  responses: {
    201: { description: "Made", content: { "application/json": { schema: tokenOnceSchema } } },
    ...problems(...ACCESS, "malformed_request", "body_too_large"),
  },
});

export const showTokens = createRoute({
  ...shared,
  method: "get",
  path: "/v1/tokens",
  operationId: "listTokens",
  summary: "List the tokens of your tenant",
  description: "Without their texts; revoked and expired ones are listed, too.",
  responses: {
    200: {
      description: "Oldest first",
      content: { "application/json": { schema: z.object({ tokens: z.array(tokenSchema) }) } },
    },
    ...problems(...ACCESS),
  },
});

export const showToken = createRoute({
  ...shared,
  method: "get",
  path: "/v1/tokens/{id}",
  operationId: "getToken",
  summary: "Show a token of your tenant",
  description: "Without its text, which nobody can read again.",
  request: { params },
  responses: {
    200: { description: "The token", content: { "application/json": { schema: tokenSchema } } },
    ...problems(...ACCESS, "malformed_request", "token_unknown"),
  },
});

export const rotateToken = createRoute({
  ...shared,
  method: "post",
  path: "/v1/tokens/{id}/rotation",
  operationId: "rotateToken",
  summary: "Make a token that takes the place of another",
  description:
    "The new token has the name, the scopes and the limit of the old one, which stays good for the grace time and then ends. A token is rotated once.",
  request: { params, body: { required: false, content: { "application/json": { schema: rotationSchema } } } },
  responses: {
    201: {
      description: "Made; `old` says when the old one ends",
      content: {
        "application/json": {
          schema: tokenOnceSchema.extend({ old: tokenSchema }).openapi("RotatedToken", {
            example: { ...TOKEN, token: SECRET, old: OLD },
          }),
        },
      },
    },
    ...problems(...ACCESS, "malformed_request", "body_too_large", "token_unknown", "conflict"),
  },
});

export const endToken = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/tokens/{id}",
  operationId: "revokeToken",
  summary: "Revoke a token of your tenant",
  description: "The next request with it is refused, at every server.",
  request: { params },
  responses: { 204: { description: "Revoked" }, ...problems(...ACCESS, "malformed_request", "token_unknown") },
});
