import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { problems } from "../problem.ts";
import { BEARER, digestParams, digestSchema, EXAMPLE_DIGEST, fileBody } from "../schemas.ts";

export const makePredictions = createRoute({
  tags: ["predictions"],
  security: BEARER,
  middleware: requireScope("predict"),
  method: "post",
  path: "/v1/models/{id}/predictions",
  summary: "Predict on encrypted rows",
  description: "The answers are sent after the whole file was received and its digest was found right.",
  request: {
    params: digestParams,
    query: z.object({
      key: digestSchema.optional().openapi({
        param: { name: "key", in: "query" },
        description: "Id of the registered evaluation keys; needed by tree models, not by linear ones",
        example: EXAMPLE_DIGEST,
      }),
    }),
    body: fileBody("An encrypted rows file"),
  },
  responses: {
    200: {
      description: "An encrypted answers file",
      headers: z.object({
        "sotto-server-ms": z.string().openapi({ description: "Time of the back end, ms", example: "12.5" }),
      }),
      content: { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } },
    },
    ...problems(
      "token_missing",
      "token_invalid",
      "token_expired",
      "scope_missing",
      "malformed_request",
      "malformed_file",
      "digest_mismatch",
      "wrong_file_kind",
      "unsupported_version",
      "wrong_parameter_set",
      "wrong_key",
      "wrong_model",
      "key_unknown",
      "key_expired",
      "model_unknown",
      "body_too_large",
      "cancelled",
      "internal",
      "backend_failed",
      "store_corrupt",
      "busy",
      "out_of_memory",
    ),
  },
});
