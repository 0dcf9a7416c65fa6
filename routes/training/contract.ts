/** Routes of training sessions for the owner of the session. */
import { createRoute, z } from "@hono/zod-openapi";
import { problems } from "../problem.ts";
import { fileBody } from "../schemas.ts";
import { ACCESS, binary, COMMON, FILE, json, jsonBody, jsonLimit, shared, shown } from "./contract_parts.ts";
import {
  addedOwnerSchema,
  newOwnerSchema,
  newSessionSchema,
  ownerParams,
  runSchema,
  sessionParams,
  sessionSchema,
  summarySchema,
} from "./schemas.ts";

const one = { params: sessionParams };

export const makeSession = createRoute({
  ...shared,
  middleware: [...shared.middleware, jsonLimit],
  method: "post",
  path: "/v1/training-sessions",
  summary: "Make a training session",
  request: { body: jsonBody(newSessionSchema) },
  responses: {
    201: { description: "Made, with its plan", content: json(sessionSchema) },
    ...problems(...ACCESS, "malformed_request", "body_too_large", "model_refused", "quota_exceeded"),
  },
});

export const showSessions = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions",
  summary: "List your training sessions",
  responses: {
    200: { description: "Oldest first", content: json(z.object({ sessions: z.array(summarySchema) })) },
    ...problems(...ACCESS),
  },
});

export const showSession = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}",
  summary: "Show a training session",
  request: one,
  responses: { 200: shown("The session"), ...problems(...COMMON) },
});

export const sendKeys = createRoute({
  ...shared,
  method: "put",
  path: "/v1/training-sessions/{id}/keys",
  summary: "Send the training key file or the public key file of the session",
  description: "One file a call. Lookup keys of the same key pair are registered with POST /v1/keys and found by it.",
  request: { ...one, body: fileBody("A training key file or a public key file") },
  responses: { 200: shown("Kept"), ...problems(...COMMON, ...FILE, "session_state", "wrong_key") },
});

export const addDataOwner = createRoute({
  ...shared,
  middleware: [...shared.middleware, jsonLimit],
  method: "post",
  path: "/v1/training-sessions/{id}/owners",
  summary: "Add a data owner; its token is shown this once",
  request: { ...one, body: jsonBody(newOwnerSchema) },
  responses: {
    201: { description: "Added", content: json(addedOwnerSchema) },
    ...problems(...COMMON, "body_too_large", "session_state", "conflict"),
  },
});

export const removeDataOwner = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/training-sessions/{id}/owners/{owner}",
  summary: "Revoke the tokens of a data owner; before the first run its uploads are removed, too",
  request: { params: ownerParams },
  responses: { 204: { description: "Revoked" }, ...problems(...COMMON) },
});

export const startRun = createRoute({
  ...shared,
  middleware: [...shared.middleware, jsonLimit],
  method: "post",
  path: "/v1/training-sessions/{id}/runs",
  summary: "Train for some steps, or for all that are left",
  request: { ...one, body: jsonBody(runSchema) },
  responses: {
    202: shown("Running, or waiting for its turn"),
    ...problems(...COMMON, "body_too_large", "session_state", "conflict", "key_missing", "busy"),
  },
});

export const pauseRun = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/pause",
  summary: "End the run after the step that computes",
  request: one,
  responses: { 200: shown("Paused, or already at its end"), ...problems(...COMMON, "session_state") },
});

export const resumeRun = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/resume",
  summary: "Go on with the run that was paused, interrupted or has failed",
  request: one,
  responses: {
    202: shown("Running, or waiting for its turn"),
    ...problems(...COMMON, "session_state", "key_missing", "busy"),
  },
});

export const followSession = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}/events",
  summary: "Follow a run",
  description:
    "Server-sent events named `session` whose data is the session as in the list, at every change but at most " +
    "twice a second, until it does not run any more.",
  request: one,
  responses: {
    200: { description: "The events", content: { "text/event-stream": { schema: { type: "string" as const } } } },
    ...problems(...COMMON),
  },
});

export const fetchWeights = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}/weights",
  summary: "Fetch the encrypted weights of the last checkpoint",
  request: one,
  responses: {
    200: {
      description: "A training weights file",
      headers: z.object({ "sotto-step": z.string().openapi({ description: "Steps done", example: "120" }) }),
      content: binary,
    },
    ...problems(...COMMON, "key_missing"),
  },
});

export const sendWeights = createRoute({
  ...shared,
  method: "put",
  path: "/v1/training-sessions/{id}/weights",
  summary: "Go on from refreshed weights of the same step",
  request: { ...one, body: fileBody("A training weights file") },
  responses: { 200: shown("Kept"), ...problems(...COMMON, ...FILE, "session_state", "conflict", "wrong_key") },
});

export const finishSession = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/finish",
  summary: "End the training and make its encrypted weights ready for predictions",
  request: one,
  responses: { 200: shown("Finished"), ...problems(...COMMON, "session_state") },
});

export const removeSession = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/training-sessions/{id}",
  summary: "Delete a session with its owners, their tokens, batches and weights",
  request: one,
  responses: { 204: { description: "Deleted" }, ...problems(...COMMON, "session_state") },
});

export const predictWithSession = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/predictions",
  summary: "Multiply encrypted rows by the encrypted weights of a finished regression",
  request: { ...one, body: fileBody("A training batch file without labels, batch number 0, 1 to batch_size rows") },
  responses: {
    200: {
      description: "An encrypted answers file, one record a score",
      headers: z.object({ "sotto-server-ms": z.string().openapi({ example: "2.500" }) }),
      content: binary,
    },
    ...problems(...COMMON, ...FILE, "session_state", "conflict", "wrong_key", "busy"),
  },
});
