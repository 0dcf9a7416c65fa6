import { createRoute, z } from "@hono/zod-openapi";
import { CAPABILITIES } from "../../circuits/wire.ts";
import { requireScope } from "../authentication.ts";
import { ACCESS, problems, STORING } from "../problem.ts";
import { BEARER, digestParams, digestSchema, EXAMPLE_DIGEST, fileBody, instantSchema } from "../schemas.ts";

export const keysSchema = z.object({
  id: digestSchema,
  key_id: digestSchema,
  capability: z.enum(CAPABILITIES).openapi({
    description: "pack: evaluation keys; lookup1, lookup2, lookup3: lookup keys of that setting",
  }),
  parameter_set: z.string(),
  bytes: z.number().int(),
  created_at: instantSchema,
  expires_at: instantSchema,
}).openapi("EvaluationKeys", {
  example: {
    id: EXAMPLE_DIGEST,
    key_id: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    capability: "pack",
    parameter_set: "ring-2048-q50",
    bytes: 563392,
    created_at: "2026-03-01T12:00:00.000Z",
    expires_at: "2027-03-01T12:00:00.000Z",
  },
});

const shared = { tags: ["keys"], security: BEARER, middleware: requireScope("predict") };
const json = { "application/json": { schema: keysSchema } };

export const registerKeys = createRoute({
  ...shared,
  method: "post",
  path: "/v1/keys",
  operationId: "registerKeys",
  summary: "Register evaluation keys or lookup keys",
  description:
    "The body is stored as it is and checked while it streams; its digest becomes the id. Registering the same file again gives the same object, and renews keys that have expired.",
  request: { body: fileBody("An evaluation key file or a lookup key file") },
  responses: {
    201: { description: "Registered", content: json },
    200: { description: "The same file was registered before", content: json },
    ...problems(
      ...ACCESS,
      "malformed_request",
      "malformed_file",
      "digest_mismatch",
      "wrong_file_kind",
      "unsupported_version",
      "wrong_parameter_set",
      "body_too_large",
      "cancelled",
      "out_of_memory",
      ...STORING,
    ),
  },
});

export const listKeys = createRoute({
  ...shared,
  method: "get",
  path: "/v1/keys",
  operationId: "listKeys",
  summary: "List your registered key files",
  description: "Every key file of your tenant, expired ones included.",
  responses: {
    200: {
      description: "Yours, oldest first",
      content: { "application/json": { schema: z.object({ keys: z.array(keysSchema) }) } },
    },
    ...problems(...ACCESS),
  },
});

export const showKeys = createRoute({
  ...shared,
  method: "get",
  path: "/v1/keys/{id}",
  operationId: "showKeys",
  summary: "Show a registered key file",
  description: "What the server knows of the file: its capability, size and expiry. The file itself cannot be fetched.",
  request: { params: digestParams },
  responses: {
    200: { description: "The keys", content: json },
    ...problems(...ACCESS, "malformed_request", "key_unknown"),
  },
});

export const deleteKeys = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/keys/{id}",
  operationId: "deleteKeys",
  summary: "Delete a registered key file",
  description:
    "Predictions that need it fail with `key_missing` from then on; predictions that run keep it until they end.",
  request: { params: digestParams },
  responses: { 204: { description: "Deleted" }, ...problems(...ACCESS, "malformed_request", "key_unknown") },
});
