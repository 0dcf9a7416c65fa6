import { createRoute, z } from "@hono/zod-openapi";
import { descriptionSchema } from "../../circuits/description.ts";
import { requireScope } from "../authentication.ts";
import { acceptedJob, prioritySchema } from "../jobs/contract.ts";
import { preferSchema } from "../prefer.ts";
import { ACCESS, problems, STORING } from "../problem.ts";
import { DESCRIPTION_EXAMPLE } from "./description_example.ts";
import { BEARER, digestParams, digestSchema, EXAMPLE_DIGEST, instantSchema, nameSchema } from "../schemas.ts";

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

export const modelSchema = summarySchema.extend({
  description: descriptionSchema.openapi("Description", { example: DESCRIPTION_EXAMPLE }),
}).openapi(
  "Model",
  {
    example: {
      id: EXAMPLE_DIGEST,
      name: "breast cancer",
      created_at: "2026-03-01T12:00:00.000Z",
      source: { format: "xgboost", version: "3.0.0", objective: "binary:logistic" },
      description: DESCRIPTION_EXAMPLE,
    },
  },
);

/** `GET`s of one model and the queries of an import. */
export const importQuerySchema = z.object({
  priority: prioritySchema,
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
/** The parts of a form, for the OpenAPI document alone: the form itself is read as a stream, within limits of its own. */
export const modelParts = {
  type: "object" as const,
  required: ["model"],
  properties: {
    model: binary,
    edges: { type: "string" as const, example: "[[0.5,1.5],[2]]" },
    calibration: { type: "string" as const, example: "f0,f1\n0.5,1\n0.25,3\n" },
  },
};
const body = {
  required: true,
  description:
    "The model file; with bins=quantile the parts `model` (the file) and `edges` (JSON, one sorted array a feature); " +
    "for a network the parts `model` and `calibration` (CSV: a header line, one feature a column, at most 10,000 rows)",
  content: {
    "application/octet-stream": { schema: binary },
    "multipart/form-data": { schema: { $ref: "#/components/schemas/ModelParts" } },
  },
};

const json = { "application/json": { schema: modelSchema } };
const tagged = { tags: ["models"], security: BEARER };
const readers = { ...tagged, middleware: requireScope("predict") };
const admins = { ...tagged, middleware: requireScope("admin") };

export const createModel = createRoute({
  ...admins,
  method: "post",
  path: "/v1/models",
  operationId: "importModel",
  summary: "Import a model",
  description:
    "The file is read, checked, compiled and stored under the digest of its bytes and the options of the query; the same import again gives the same object. The answer holds all that a client needs to encrypt rows.",
  request: { query: importQuerySchema, headers: preferSchema, body },
  responses: {
    201: { description: "Imported", content: json },
    200: { description: "The same file was imported in the same way before", content: json },
    202: acceptedJob("The job that will import it: its result is the id of the model"),
    ...problems(
      ...ACCESS,
      "malformed_request",
      "malformed_file",
      "model_refused",
      "rows_refused",
      "body_too_large",
      "cancelled",
      "busy",
      ...STORING,
    ),
  },
});

export const showModels = createRoute({
  ...readers,
  method: "get",
  path: "/v1/models",
  operationId: "listModels",
  summary: "List your models",
  description: "Without descriptions, which may be long: `GET /v1/models/{id}` has them.",
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
  operationId: "showModel",
  summary: "Show a model with all that is needed to encrypt rows and decrypt answers",
  description:
    "The description names features, thresholds, layout, needed keys and the cost of a row. Parameters of the model that clients do not need are not in it.",
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
  operationId: "deleteModel",
  summary: "Delete a model",
  description: "Its file is removed as soon as nothing else refers to it.",
  request: { params: digestParams },
  responses: { 204: { description: "Deleted" }, ...problems(...ACCESS, "malformed_request", "model_unknown") },
});
