import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { acceptedJob, prioritySchema } from "../jobs/contract.ts";
import { preferSchema } from "../prefer.ts";
import { ACCESS, problems, STORED, STORING } from "../problem.ts";
import { BEARER, digestParams, digestSchema, EXAMPLE_DIGEST, fileBody } from "../schemas.ts";

export const makePredictions = createRoute({
  tags: ["predictions"],
  security: BEARER,
  middleware: requireScope("predict"),
  method: "post",
  path: "/v1/models/{id}/predictions",
  operationId: "predict",
  summary: "Predict on encrypted rows",
  description:
    "The answers are sent after the whole file was received and its digest was found right. When the estimate " +
    "of the model's plan is longer than the server answers at once, or with the header `Prefer: respond-async`, the " +
    "answer is a job instead.",
  request: {
    params: digestParams,
    query: z.object({
      key: digestSchema.optional().openapi({
        param: { name: "key", in: "query" },
        description:
          "Id of any registered key file of the key pair; the server finds the other files of the pair that " +
          "the model needs. Linear models need none",
        example: EXAMPLE_DIGEST,
      }),
      priority: prioritySchema,
    }),
    headers: preferSchema,
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
    202: acceptedJob("The job that will make the answers"),
    ...problems(
      ...ACCESS,
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
      "key_missing",
      "model_unknown",
      "body_too_large",
      "cancelled",
      "backend_failed",
      "busy",
      ...STORED,
      ...STORING,
      "out_of_memory",
    ),
  },
});
