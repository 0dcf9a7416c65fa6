/** Routes of training sessions for the owner of the session. */
import { createRoute, z } from "@hono/zod-openapi";
import { ACCESS, problems, STORED, STORING } from "../problem.ts";
import { fileBody } from "../schemas.ts";
import { binary, COMMON, FILE, json, jsonBody, jsonLimit, shared, shown } from "./contract_parts.ts";
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
const events = {
  "text/event-stream": {
    schema: {},
    example: 'event: session\ndata: {"id":"0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a","state":"running","step":120}\n\n',
  },
};

export const makeSession = createRoute({
  ...shared,
  middleware: [...shared.middleware, jsonLimit],
  method: "post",
  path: "/v1/training-sessions",
  operationId: "createTrainingSession",
  summary: "Make a training session",
  description:
    "The specification is planned at once: noise, cost and keys are known before anything is sent, and a specification that does not fit is refused with the number that is too large.",
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
  operationId: "listTrainingSessions",
  summary: "List your training sessions",
  description: "States and steps, without specifications.",
  responses: {
    200: { description: "Oldest first", content: json(z.object({ sessions: z.array(summarySchema) })) },
    ...problems(...ACCESS),
  },
});

export const showSession = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}",
  operationId: "showTrainingSession",
  summary: "Show a training session",
  description: "With its owners, its plan, and what its state allows.",
  request: one,
  responses: { 200: shown("The session"), ...problems(...COMMON, ...STORED) },
});

export const sendKeys = createRoute({
  ...shared,
  method: "put",
  path: "/v1/training-sessions/{id}/keys",
  operationId: "sendTrainingKeys",
  summary: "Send the training key file or the public key file of the session",
  description: "One file a call. Lookup keys of the same key pair are registered with POST /v1/keys and found by it.",
  request: { ...one, body: fileBody("A training key file or a public key file") },
  responses: { 200: shown("Kept"), ...problems(...COMMON, ...FILE, ...STORING, "session_state", "wrong_key") },
});

export const addDataOwner = createRoute({
  ...shared,
  middleware: [...shared.middleware, jsonLimit],
  method: "post",
  path: "/v1/training-sessions/{id}/owners",
  operationId: "addDataOwner",
  summary: "Add a data owner; its token is shown this once",
  description:
    "An owner of rows fills batches of its own; owners of columns and labels share every batch. The token reaches nothing but this owner's part.",
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
  operationId: "removeDataOwner",
  summary: "Revoke the tokens of a data owner; before the first run its uploads are removed, too",
  description: "Other owners and the batches that were trained on stay as they are.",
  request: { params: ownerParams },
  responses: { 204: { description: "Revoked" }, ...problems(...COMMON) },
});

export const startRun = createRoute({
  ...shared,
  middleware: [...shared.middleware, jsonLimit],
  method: "post",
  path: "/v1/training-sessions/{id}/runs",
  operationId: "startTrainingRun",
  summary: "Train for some steps, or for all that are left",
  description: "Everything must be there: keys, all batches, the confirmed order. The answer names what is missing.",
  request: { ...one, body: { ...jsonBody(runSchema), required: false } },
  responses: {
    202: shown("Running, or waiting for its turn"),
    ...problems(...COMMON, "body_too_large", "session_state", "conflict", "key_missing", "busy"),
  },
});

export const pauseRun = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/pause",
  operationId: "pauseTrainingRun",
  summary: "End the run after the step that computes",
  description: "The state is stored as a checkpoint; `resume` or another run goes on from it.",
  request: one,
  responses: { 200: shown("Paused, or already at its end"), ...problems(...COMMON, "session_state") },
});

export const resumeRun = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/resume",
  operationId: "resumeTrainingRun",
  summary: "Go on with the run that was paused, interrupted or has failed",
  description: "The run goes on from the last checkpoint to the step where it was to end.",
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
  operationId: "followTrainingSession",
  summary: "Follow a run",
  description:
    "Server-sent events named `session` whose data is the session as in the list, at every change but at most " +
    "twice a second, until it does not run any more.",
  request: one,
  responses: {
    200: { description: "The events", content: events },
    ...problems(...COMMON),
  },
});

export const fetchWeights = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}/weights",
  operationId: "fetchTrainingWeights",
  summary: "Fetch the encrypted weights of the last checkpoint",
  description: "Only the holder of the secret key can read them.",
  request: one,
  responses: {
    200: {
      description: "A training weights file",
      headers: z.object({ "sotto-step": z.string().openapi({ description: "Steps done", example: "120" }) }),
      content: binary,
    },
    ...problems(...COMMON, ...STORED, "key_missing"),
  },
});

export const sendWeights = createRoute({
  ...shared,
  method: "put",
  path: "/v1/training-sessions/{id}/weights",
  operationId: "sendTrainingWeights",
  summary: "Go on from refreshed weights of the same step",
  description:
    "Weights that the client has decrypted and encrypted again carry fresh noise, so a long training can go on.",
  request: { ...one, body: fileBody("A training weights file") },
  responses: {
    200: shown("Kept"),
    ...problems(...COMMON, ...FILE, ...STORING, "session_state", "conflict", "wrong_key"),
  },
});

export const finishSession = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/finish",
  operationId: "finishTrainingSession",
  summary: "End the training and make its encrypted weights ready for predictions",
  description: "No step can follow; the session answers `POST .../predictions` from then on.",
  request: one,
  responses: { 200: shown("Finished"), ...problems(...COMMON, "session_state") },
});

export const removeSession = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/training-sessions/{id}",
  operationId: "deleteTrainingSession",
  summary: "Delete a session with its owners, their tokens, batches and weights",
  description: "A session that runs has to be paused first.",
  request: one,
  responses: { 204: { description: "Deleted" }, ...problems(...COMMON, "session_state") },
});

export const predictWithSession = createRoute({
  ...shared,
  method: "post",
  path: "/v1/training-sessions/{id}/predictions",
  operationId: "predictWithTrainingSession",
  summary: "Multiply encrypted rows by the encrypted weights of a finished regression",
  description:
    "For regressions: one encrypted score a row. The answer is not randomised, since its reader owns the weights.",
  request: { ...one, body: fileBody("A training batch file without labels, batch number 0, 1 to batch_size rows") },
  responses: {
    200: {
      description: "An encrypted answers file, one record a score",
      headers: z.object({ "sotto-server-ms": z.string().openapi({ example: "2.500" }) }),
      content: binary,
    },
    ...problems(...COMMON, ...FILE, ...STORED, "session_state", "conflict", "wrong_key", "busy"),
  },
});
