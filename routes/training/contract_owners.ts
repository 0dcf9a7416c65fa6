/** Routes of training sessions for data owners, with tokens of their own. */
import { createRoute } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { problems, STORED, STORING } from "../problem.ts";
import { fileBody } from "../schemas.ts";
import { COMMON, FILE, json, jsonBody, refuseBody, shared } from "./contract_parts.ts";
import { ORDER_BYTES_MAX } from "./order.ts";
import { batchParams, batchSchema, orderRequestSchema, orderSchema, publicSchema, sessionParams } from "./schemas.ts";

const one = { params: sessionParams };

export const showPublic = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}/public",
  operationId: "showTrainingPublic",
  summary: "What a data owner needs to encrypt its part (token of a data owner)",
  description:
    "The specification with its public scaling, the public key, and which columns or batches are this owner's.",
  request: one,
  responses: { 200: { description: "For this owner", content: json(publicSchema) }, ...problems(...COMMON, ...STORED) },
});

export const showOrder = createRoute({
  ...shared,
  method: "get",
  path: "/v1/training-sessions/{id}/order",
  operationId: "showRowOrder",
  summary: "The published order of the rows (token of the session's owner or of a data owner)",
  description: "Needed by sessions that are split by columns: every owner sends the same rows in the same order.",
  request: one,
  responses: {
    200: { description: "Ids in their order", content: json(orderSchema) },
    ...problems(...COMMON, ...STORED, "conflict"),
  },
});

export const sendOrder = createRoute({
  ...shared,
  middleware: [
    ...shared.middleware,
    bodyLimit({ maxSize: ORDER_BYTES_MAX, onError: () => refuseBody(ORDER_BYTES_MAX) }),
  ],
  method: "put",
  path: "/v1/training-sessions/{id}/order",
  operationId: "sendRowOrder",
  summary: "Publish the order of the rows (owner of the session), or confirm it (data owner)",
  description: "The digest is the SHA-256 of the ids in UTF-8, each followed by a line feed.",
  request: { ...one, body: jsonBody(orderRequestSchema) },
  responses: {
    204: { description: "Published or confirmed" },
    ...problems(...COMMON, ...STORING, "body_too_large", "session_state", "conflict"),
  },
});

export const sendBatch = createRoute({
  ...shared,
  method: "put",
  path: "/v1/training-sessions/{id}/batches/{batch}",
  operationId: "sendTrainingBatch",
  summary: "Send your part of a batch; the same number again replaces it (token of a data owner)",
  description: "The digest at the end of the file is checked before the part counts as sent.",
  request: { params: batchParams, body: fileBody("A training batch file") },
  responses: {
    200: { description: "Kept", content: json(batchSchema) },
    ...problems(...COMMON, ...FILE, ...STORING, "session_state", "conflict", "wrong_key", "key_missing"),
  },
});
