import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { jobSchema } from "../jobs/contract.ts";
import { problems } from "../problem.ts";
import { BEARER, digestParams, digestSchema, EXAMPLE_DIGEST, fileBody } from "../schemas.ts";

export const makePredictions = createRoute({
  tags: ["predictions"],
  security: BEARER,
  middleware: requireScope("predict"),
  method: "post",
  path: "/v1/models/{id}/predictions",
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
    }),
    headers: z.object({
      prefer: z.string().optional().openapi({
        param: { name: "prefer", in: "header" },
        description: "`respond-async` asks for a job",
        example: "respond-async",
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
    202: {
      description: "The job that will make the answers",
      headers: z.object({
        location: z.string().openapi({
          description: "Path of the job",
          example: "/v1/jobs/0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a",
        }),
      }),
      content: { "application/json": { schema: jobSchema } },
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
      "key_missing",
      "model_unknown",
      "body_too_large",
      "cancelled",
      "internal",
      "backend_failed",
      "store_corrupt",
      "busy",
      "quota_exceeded",
      "out_of_memory",
    ),
  },
});

/** True when a header `Prefer` (RFC 7240) asks for an answer that does not wait. */
export function wantsJob(prefer: string | undefined): boolean {
  return (prefer ?? "").split(",").some((part) => part.split(";")[0].trim().toLowerCase() === "respond-async");
}
