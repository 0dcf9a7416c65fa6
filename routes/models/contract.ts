import { createRoute, z } from "@hono/zod-openapi";
import { descriptionSchema } from "../../circuits/description.ts";
import { requireScope } from "../authentication.ts";
import { problems } from "../problem.ts";
import { BEARER, digestParams, digestSchema, EXAMPLE_DIGEST, instantSchema } from "../schemas.ts";

const sourceSchema = z.object({
  format: z.enum(["xgboost", "lightgbm", "onnx"]),
  version: z.string(),
  objective: z.string(),
}).openapi("Source", { example: { format: "xgboost", version: "3.0.0", objective: "binary:logistic" } });

export const summarySchema = z.object({
  id: digestSchema.openapi({ example: EXAMPLE_DIGEST }),
  name: z.string().openapi({ example: "breast cancer" }),
  created_at: instantSchema,
  source: sourceSchema,
}).openapi("ModelSummary");

export const modelSchema = summarySchema.extend({ description: descriptionSchema.openapi("Description") }).openapi(
  "Model",
);

const nameSchema = z.string().trim().min(1).max(200).regex(
  /^\P{Cc}*$/u,
  "must not hold control characters",
);

/** `GET`s of one model and the queries of an import. */
export const importQuerySchema = z.object({
  name: nameSchema.openapi({ example: "breast cancer" }),
  format: z.enum(["xgboost", "lightgbm", "onnx"]),
  bins: z.enum(["model", "quantile"]).default("model").openapi({
    description: "model: the file's own thresholds; quantile: each moves to the nearest edge that you send",
  }),
  mode: z.enum(["leaves", "score"]).default("leaves").openapi({
    description:
      "Tree models: leaves: the client gets a blinded value a leaf and sums; score: sums alone leave the server, by lookups",
  }),
  n_bits: z.coerce.number().int().min(1).max(16).optional().openapi({
    description: "With bins=quantile: at most 2^n_bits edges a feature",
    example: 6,
  }),
});

/** The part `edges`: one sorted list a feature. */
export const edgesSchema = z.array(z.array(z.number()));

const binary = { type: "string" as const, format: "binary" };
const body = {
  required: true,
  description:
    "The model file; with bins=quantile the parts `model` (the file) and `edges` (JSON, one sorted array a feature); " +
    "for a network the parts `model` and `calibration` (CSV: a header line, one feature a column, at most 10,000 rows)",
  content: {
    "application/octet-stream": { schema: binary },
    "multipart/form-data": {
      schema: {
        type: "object" as const,
        required: ["model"],
        properties: {
          model: binary,
          edges: { type: "string" as const, example: "[[0.5,1.5],[2]]" },
          calibration: { type: "string" as const, example: "f0,f1\n0.5,1\n0.25,3\n" },
        },
      },
    },
  },
};

const json = { "application/json": { schema: modelSchema } };
const tagged = { tags: ["models"], security: BEARER };
const readers = { ...tagged, middleware: requireScope("predict") };
const admins = { ...tagged, middleware: requireScope("admin") };
const ACCESS = ["token_missing", "token_invalid", "token_expired", "scope_missing", "internal"] as const;

export const createModel = createRoute({
  ...admins,
  method: "post",
  path: "/v1/models",
  summary: "Import a model",
  request: { query: importQuerySchema, body },
  responses: {
    201: { description: "Imported", content: json },
    200: { description: "The same file was imported in the same way before", content: json },
    ...problems(
      ...ACCESS,
      "malformed_request",
      "malformed_file",
      "model_refused",
      "rows_refused",
      "body_too_large",
      "cancelled",
      "busy",
    ),
  },
});

export const showModels = createRoute({
  ...readers,
  method: "get",
  path: "/v1/models",
  summary: "List your models",
  responses: {
    200: {
      description: "Yours, oldest first",
      content: { "application/json": { schema: z.object({ models: z.array(summarySchema) }) } },
    },
    ...problems(...ACCESS),
  },
});

export const showModel = createRoute({
  ...readers,
  method: "get",
  path: "/v1/models/{id}",
  summary: "Show a model with all that is needed to encrypt rows and decrypt answers",
  request: { params: digestParams },
  responses: {
    200: { description: "The model", content: json },
    ...problems(...ACCESS, "malformed_request", "model_unknown"),
  },
});

export const removeModel = createRoute({
  ...admins,
  method: "delete",
  path: "/v1/models/{id}",
  summary: "Delete a model",
  request: { params: digestParams },
  responses: { 204: { description: "Deleted" }, ...problems(...ACCESS, "malformed_request", "model_unknown") },
});
