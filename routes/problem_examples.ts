/** What the error codes that the server sends mean, as the examples of its OpenAPI document show them. */
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";

/** A detail as it may be answered, for each code that a route documents. */
const DETAILS: Partial<Record<ErrorCode, string>> = {
  malformed_request: "correct the request: id: must be 64 lower-case hex digits",
  malformed_file: "the file is 12 bytes long, its header says 563392: send the whole file",
  digest_mismatch: "the digest at the end of the file is not that of its bytes: send it again",
  wrong_file_kind: "this is a secret key file, and evaluation keys are expected: never send secret keys",
  unsupported_version: "the file has version 2, this server reads version 1: update the server",
  rows_refused: "calibration: row 3 has 5 values, the header line names 4",
  model_refused: "tree 7 has categorical splits: train it without them",
  wrong_parameter_set: "the file is of the parameter set ring-1024-q25, this server works with ring-2048-q50",
  wrong_key: "the rows were encrypted under another key pair than the one that ?key= names",
  wrong_model: "the rows were encrypted for another model",
  key_missing: "the model needs lookup keys of setting 2: make them with sotto keys make --capability lookup2",
  token_missing: "send your token in the header `authorization: Bearer TOKEN`",
  token_invalid: "this token is unknown or was revoked: ask for a new one",
  token_expired: "this token has expired: ask for a new one",
  scope_missing: "this needs a token with the scope admin: ask for one",
  tenant_disabled: "your tenant is disabled: ask the operator of the server",
  tenant_unknown: "there is no tenant with this name",
  key_unknown: "you have no keys with this id: list yours with GET /v1/keys",
  key_expired: "these keys have expired: register them again",
  model_unknown: "you have no model with this id: list yours with GET /v1/models",
  job_unknown: "you have no job with this id",
  job_unfinished: "the job is running: its answers are there when its state is succeeded",
  token_unknown: "your tenant has no token with this id: list them with GET /v1/tokens",
  session_unknown: "you have no session with this id",
  session_state: "the session is running: pause it first",
  idempotency_key_reused: "this idempotency key was used for another request: use another key",
  worker_lost: "the worker that computed it ended, 4 times: give its operator the id of the job",
  conflict: "the object is in use: end what works with it first",
  body_too_large: "the body is longer than 104857600 bytes, which is all this route takes",
  length_required: "send the length of the body in the header content-length",
  quota_exceeded: "your tenant has 16 unfinished jobs, as many as it may: wait for one to end",
  rate_limited: "your tenant sends more requests than it may: send this one again later",
  cancelled: "the client ended the request before it was answered",
  internal: "the server failed: give its operator the request id",
  backend_failed: "the computation failed: give the server's operator the request id",
  store_corrupt: "a stored file is damaged: give the server's operator the request id",
  store_unavailable: "the object store does not answer: send the request again later",
  out_of_memory: "the server lacks the memory for this now: send the request again later",
  busy: "the server is working on as much as it takes: send the request again later",
  database_unavailable: "the database does not answer: send the request again later",
};

/** Answers of these codes say in `retry-after` when to ask again, in seconds. */
export const RETRY_SECONDS: Partial<Record<ErrorCode, string>> = {
  busy: "2",
  out_of_memory: "10",
  database_unavailable: "5",
};

/** A problem as it is answered. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id: string;
}

/** The problem of a code: RFC 9457's members, the code, and the id that the log of the server has, too. */
export function problemOf(code: ErrorCode, detail: string, requestId: string): Problem {
  const title = code.replaceAll("_", " ");
  return { type: `urn:sotto:error:${code}`, title, status: ERROR_STATUS[code], detail, code, request_id: requestId };
}

/** An example of an answer with this code. */
export function exampleProblem(code: ErrorCode): Problem {
  const detail = DETAILS[code] ?? code.replaceAll("_", " ");
  return problemOf(code, detail, "1b6f1f0e-5d33-4a5e-9c5e-0a4c6a6a3a10");
}
