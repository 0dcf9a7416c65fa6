/** Errors as `application/problem+json` (RFC 9457): the only place where an error becomes an answer. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { asDatabaseError } from "../db/mod.ts";
import { ERROR_STATUS, type ErrorCode, isSottoError, SottoError } from "../errors.ts";
import type { Env, Log } from "./services.ts";

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];
const RETRY_SECONDS: Partial<Record<ErrorCode, string>> = { busy: "2", out_of_memory: "10", database_unavailable: "5" };

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.enum(CODES),
  request_id: z.string(),
}).openapi("Problem", {
  example: {
    type: "urn:sotto:error:model_unknown",
    title: "model unknown",
    status: 404,
    detail: "you have no model with this id: list yours with GET /v1/models",
    code: "model_unknown",
    request_id: "1b6f1f0e-5d33-4a5e-9c5e-0a4c6a6a3a10",
  },
});

/** The error answers of a route in its OpenAPI definition. */
export function problems(...codes: ErrorCode[]): Record<number, { description: string; content: ProblemContent }> {
  const content = { "application/problem+json": { schema: problemSchema } };
  const answers: Record<number, { description: string; content: ProblemContent }> = {};
  for (const code of codes) {
    const before = answers[ERROR_STATUS[code]]?.description;
    answers[ERROR_STATUS[code]] = { description: before === undefined ? code : `${before}, ${code}`, content };
  }
  return answers;
}
type ProblemContent = { "application/problem+json": { schema: typeof problemSchema } };

/** Answers an error; what is not meant for the caller goes to the log. */
export function answerError(error: unknown, c: Context<Env>, log: Log): Response {
  const known = asSottoError(error);
  const properties = { ...details(known), request_id: c.get("requestId") };
  if (known.status === 503) log.warn("request refused", properties);
  else if (known.status >= 500) log.error("request failed", properties);
  return answerProblem(c, known);
}

/** The error as an answer. */
export function answerProblem(c: Context<Env>, error: SottoError): Response {
  const { code, status } = error;
  c.set("errorCode", code);
  if (status === 401) c.header("www-authenticate", "Bearer");
  const seconds = RETRY_SECONDS[code];
  if (seconds !== undefined) c.header("retry-after", seconds);
  const problem: z.infer<typeof problemSchema> = {
    type: `urn:sotto:error:${code}`,
    title: code.replaceAll("_", " "),
    status,
    detail: error.message,
    code,
    request_id: c.get("requestId"),
  };
  return c.body(JSON.stringify(problem), status as ContentfulStatusCode, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  });
}

/** zod's findings as one `malformed_request` that names every wrong field. */
export function malformedRequest(
  error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] },
): SottoError {
  const wrong = error.issues.map(({ path, message }) => `${path.map(String).join(".") || "body"}: ${message}`);
  return new SottoError("malformed_request", `correct the request: ${wrong.join("; ")}`);
}

/** Any error as one with a code; what is not foreseen becomes `internal` with a message that says what to do. */
export function asSottoError(
  error: unknown,
  advice = "the server failed: give its operator the request id",
): SottoError {
  if (isSottoError(error)) return error;
  if (error instanceof HTTPException && error.status < 500) {
    return new SottoError("malformed_request", `correct the request: ${error.message}`, { cause: error });
  }
  const unavailable = asDatabaseError(error);
  if (unavailable !== undefined) return unavailable;
  return new SottoError("internal", advice, { cause: error });
}

/** An error as the log shows it, causes and stack included, values of queries left out. */
export function details(error: SottoError): Record<string, unknown> {
  return { code: error.code, reason: error.message, stack: error.stack, cause: causeOf(error.cause) };
}

/** Without the message of a failed query, which holds its values. */
function causeOf(cause: unknown): unknown {
  if (!(cause instanceof Error)) return undefined;
  const frames = cause.stack?.split("\n").filter((line) => line.trimStart().startsWith("at "));
  const message = cause.message.startsWith("Failed query") ? "failed query" : cause.message;
  return { name: cause.name, message, frames, cause: causeOf(cause.cause) };
}
