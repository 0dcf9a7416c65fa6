/** Routes of base models and of fine-tuning sessions. */
import { createRoute, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { tooLarge } from "../../store/mod.ts";
import { requireScope } from "../authentication.ts";
import { ACCESS, problems, STORED, STORING } from "../problem.ts";
import { BEARER, digestParams, fileBody } from "../schemas.ts";
import {
  baseModelSchema,
  baseSummarySchema,
  maskParams,
  maskQuery,
  newBaseModelSchema,
  newSessionSchema,
  productQuery,
  sessionParams,
  sessionSchema,
  tokenizerSchema,
} from "./schemas.ts";

const JSON_BYTES_MAX = 64 * 1024;
const jsonLimit = bodyLimit({
  maxSize: JSON_BYTES_MAX,
  onError: () => {
    throw tooLarge(JSON_BYTES_MAX);
  },
});

const tagged = { tags: ["fine-tuning"], security: BEARER };
const trainers = { ...tagged, middleware: [requireScope("train")] };
const admins = { ...tagged, middleware: [requireScope("admin")] };
const BASE = [...ACCESS, "malformed_request", "model_unknown"] as const;
const COMMON = [...ACCESS, "malformed_request", "session_unknown"] as const;
const WEIGHTS = ["file_unreadable", "malformed_file", "model_refused", "out_of_memory", "conflict"] as const;

const json = <T extends z.ZodType>(schema: T) => ({ "application/json": { schema } });
const jsonBody = <T extends z.ZodType>(schema: T) => ({ required: true, content: json(schema) });
const binary = { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } };

export const createBaseModel = createRoute({
  ...admins,
  middleware: [...admins.middleware, jsonLimit],
  method: "post",
  path: "/v1/base-models",
  operationId: "registerBaseModel",
  summary: "Register a language model that lies in the server's folder of base models",
  description: "All weights are read once, which takes about 20 s for a billion of them.",
  request: { body: jsonBody(newBaseModelSchema) },
  responses: {
    201: { description: "Registered", content: json(baseModelSchema) },
    200: { description: "The same model was registered before", content: json(baseModelSchema) },
    ...problems(...ACCESS, ...WEIGHTS, ...STORING, "malformed_request", "body_too_large", "busy"),
  },
});

export const showBaseModels = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models",
  operationId: "listBaseModels",
  summary: "List your base models",
  description: "Without shapes and groups: `GET /v1/base-models/{id}` has them.",
  responses: {
    200: { description: "Oldest first", content: json(z.object({ base_models: z.array(baseSummarySchema) })) },
    ...problems(...ACCESS),
  },
});

export const showBaseModel = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models/{id}",
  operationId: "showBaseModel",
  summary: "Show a base model: its shape, and the modules that the server multiplies by",
  description: "Groups say how the matrices are cut and by which norms a client scales its inputs.",
  request: { params: digestParams },
  responses: { 200: { description: "The model", content: json(baseModelSchema) }, ...problems(...BASE) },
});

export const removeBaseModel = createRoute({
  ...admins,
  method: "delete",
  path: "/v1/base-models/{id}",
  operationId: "deleteBaseModel",
  summary: "Forget a base model; its files stay",
  description: "Refused with `conflict` while sessions work with it.",
  request: { params: digestParams },
  responses: { 204: { description: "Forgotten" }, ...problems(...BASE, "conflict") },
});

export const fetchPublicParts = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models/{id}/public",
  operationId: "fetchPublicParts",
  summary: "Fetch the embedding, the norms and the scales of rows",
  description: "What a client computes by itself: embedding, norms, scales of rows. The file is the same for everyone.",
  request: { params: digestParams },
  responses: {
    200: { description: "A safetensors file", content: binary },
    ...problems(...BASE, ...STORED),
  },
});

export const fetchTokenizer = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models/{id}/tokenizer",
  operationId: "fetchTokenizer",
  summary: "Fetch the tokenizer",
  description: "As the base model brings it.",
  request: { params: digestParams },
  responses: {
    200: { description: "The tokenizer", content: json(tokenizerSchema) },
    ...problems(...BASE, ...WEIGHTS),
  },
});

export const createSession = createRoute({
  ...trainers,
  middleware: [...trainers.middleware, jsonLimit],
  method: "post",
  path: "/v1/fine-tuning-sessions",
  operationId: "createFineTuningSession",
  summary: "Make a fine-tuning session",
  description: "The session fixes the parameter set and how masks are sent, and counts the bytes that it moved.",
  request: { body: jsonBody(newSessionSchema) },
  responses: {
    201: { description: "Made", content: json(sessionSchema) },
    ...problems(...BASE, "body_too_large", "quota_exceeded"),
  },
});

export const showSessions = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/fine-tuning-sessions",
  operationId: "listFineTuningSessions",
  summary: "List your fine-tuning sessions",
  description: "With the requests and bytes of each.",
  responses: {
    200: { description: "Oldest first", content: json(z.object({ sessions: z.array(sessionSchema) })) },
    ...problems(...ACCESS),
  },
});

export const showSession = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/fine-tuning-sessions/{id}",
  operationId: "showFineTuningSession",
  summary: "Show a fine-tuning session",
  description: "With its requests, its bytes, and the servers of its layers.",
  request: { params: sessionParams },
  responses: { 200: { description: "The session", content: json(sessionSchema) }, ...problems(...COMMON) },
});

export const removeSession = createRoute({
  ...trainers,
  method: "delete",
  path: "/v1/fine-tuning-sessions/{id}",
  operationId: "deleteFineTuningSession",
  summary: "End a fine-tuning session",
  description: "Nothing of the training lies on the server: adapters stay with the client.",
  request: { params: sessionParams },
  responses: { 204: { description: "Ended" }, ...problems(...COMMON) },
});

export const multiply = createRoute({
  ...trainers,
  method: "post",
  path: "/v1/fine-tuning-sessions/{id}/products",
  operationId: "multiplyTokens",
  summary: "Multiply encrypted tokens by the weights of a group",
  description: "Lengths follow from the query and the plan of the group; a body of another length is refused unread.",
  request: {
    params: sessionParams,
    query: productQuery,
    body: fileBody("With fresh masks their seed (32 bytes); the bodies of all inputs"),
  },
  responses: {
    200: { description: "The answers of all tiles, and the server's milliseconds as a double", content: binary },
    ...problems(
      ...COMMON,
      ...WEIGHTS,
      "body_too_large",
      "cancelled",
      "quota_exceeded",
      "busy",
      "backend_failed",
    ),
  },
});

export const fetchMasks = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/fine-tuning-sessions/{id}/masks/{group}",
  operationId: "fetchMasks",
  summary: "Fetch the cached masks of the answers of a group",
  description: "Of sessions with `masks: cached`: fetched once, they make every later answer less than half as long.",
  request: { params: maskParams, query: maskQuery },
  responses: {
    200: { description: "The masks of all tiles", content: binary },
    ...problems(...COMMON, ...WEIGHTS, "session_state", "cancelled", "quota_exceeded", "busy", "backend_failed"),
  },
});
