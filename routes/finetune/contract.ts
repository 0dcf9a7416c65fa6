/** Routes of base models and of fine-tuning sessions. */
import { createRoute, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { tooLarge } from "../../store/mod.ts";
import { requireScope } from "../authentication.ts";
import { problems } from "../problem.ts";
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
const ACCESS = ["token_missing", "token_invalid", "token_expired", "scope_missing", "internal"] as const;
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
  summary: "Register a language model that lies in the server's folder of base models",
  description: "All weights are read once, which takes about 20 s for a billion of them.",
  request: { body: jsonBody(newBaseModelSchema) },
  responses: {
    201: { description: "Registered", content: json(baseModelSchema) },
    200: { description: "The same model was registered before", content: json(baseModelSchema) },
    ...problems(...ACCESS, ...WEIGHTS, "malformed_request", "body_too_large", "busy"),
  },
});

export const showBaseModels = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models",
  summary: "List your base models",
  responses: {
    200: { description: "Oldest first", content: json(z.object({ base_models: z.array(baseSummarySchema) })) },
    ...problems(...ACCESS),
  },
});

export const showBaseModel = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models/{id}",
  summary: "Show a base model: its shape, and the modules that the server multiplies by",
  request: { params: digestParams },
  responses: { 200: { description: "The model", content: json(baseModelSchema) }, ...problems(...BASE) },
});

export const removeBaseModel = createRoute({
  ...admins,
  method: "delete",
  path: "/v1/base-models/{id}",
  summary: "Forget a base model; its files stay",
  request: { params: digestParams },
  responses: { 204: { description: "Forgotten" }, ...problems(...BASE, "conflict") },
});

export const fetchPublicParts = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models/{id}/public",
  summary: "Fetch the embedding, the norms and the scales of rows",
  request: { params: digestParams },
  responses: {
    200: { description: "A safetensors file", content: binary },
    ...problems(...BASE, "store_corrupt"),
  },
});

export const fetchTokenizer = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/base-models/{id}/tokenizer",
  summary: "Fetch the tokenizer",
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
  summary: "Make a fine-tuning session",
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
  summary: "List your fine-tuning sessions",
  responses: {
    200: { description: "Oldest first", content: json(z.object({ sessions: z.array(sessionSchema) })) },
    ...problems(...ACCESS),
  },
});

export const showSession = createRoute({
  ...trainers,
  method: "get",
  path: "/v1/fine-tuning-sessions/{id}",
  summary: "Show a fine-tuning session",
  request: { params: sessionParams },
  responses: { 200: { description: "The session", content: json(sessionSchema) }, ...problems(...COMMON) },
});

export const removeSession = createRoute({
  ...trainers,
  method: "delete",
  path: "/v1/fine-tuning-sessions/{id}",
  summary: "End a fine-tuning session",
  request: { params: sessionParams },
  responses: { 204: { description: "Ended" }, ...problems(...COMMON) },
});

export const multiply = createRoute({
  ...trainers,
  method: "post",
  path: "/v1/fine-tuning-sessions/{id}/products",
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
  summary: "Fetch the cached masks of the answers of a group",
  request: { params: maskParams, query: maskQuery },
  responses: {
    200: { description: "The masks of all tiles", content: binary },
    ...problems(...COMMON, ...WEIGHTS, "session_state", "cancelled", "quota_exceeded", "busy", "backend_failed"),
  },
});
