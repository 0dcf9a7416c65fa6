/** Errors as `application/problem+json` (RFC 9457): the only place where an error becomes an answer. */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ERROR_STATUS, type ErrorCode, SottoError } from "../errors.ts";
import { details, knownError, type Log } from "../jobs/mod.ts";
import { exampleProblem, type Problem, problemOf, RETRY_SECONDS } from "./problem_examples.ts";
import type { Env } from "./services.ts";

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.enum(CODES),
  request_id: z.string(),
}).openapi("Problem", { example: exampleProblem("model_unknown") });

/** What every route below `/v1` may answer, whatever it does. */
export const ACCESS = [
  "token_missing",
  "token_invalid",
  "token_expired",
  "scope_missing",
  "tenant_disabled",
  "rate_limited",
  "internal",
  "busy",
  "database_unavailable",
] as const;

/** What a route may answer that reads what was stored. */
export const STORED = ["store_corrupt", "store_unavailable"] as const;

/** What a route may answer that stores something. */
export const STORING = ["quota_exceeded", "store_unavailable"] as const;

/** The error answers of a route in its OpenAPI definition: one a status, with an example of each code. */
export function problems(...codes: ErrorCode[]): Record<number, ProblemAnswer> {
  const answers: Record<number, ProblemAnswer> = {};
  for (const [status, same] of Map.groupBy(new Set(codes), (code) => ERROR_STATUS[code])) {
    const examples = Object.fromEntries(same.map((code) => [code, { value: exampleProblem(code) }]));
    answers[status] = {
      description: same.join(", "),
      headers: headersOf(status),
      content: { "application/problem+json": { schema: problemSchema, examples } },
    };
  }
  return answers;
}

interface ProblemAnswer {
  description: string;
  headers: Record<string, { description: string; schema: { type: "string"; example: string } }>;
  content: {
    "application/problem+json": { schema: typeof problemSchema; examples: Record<string, { value: Problem }> };
  };
}

function headersOf(status: number): ProblemAnswer["headers"] {
  const header = (description: string, example: string) => ({
    description,
    schema: { type: "string" as const, example },
  });
  if (status === 401) return { "www-authenticate": header("How to authenticate", "Bearer") };
  if (status === 429 || status === 503) return { "retry-after": header("Seconds until it is worth asking again", "2") };
  return {};
}

/** Answers an error; what is not meant for the caller goes to the log. */
export function answerError(error: unknown, c: Context<Env>, log: Log): Response {
  const known = asSottoError(error);
  if (known.status >= 500) logFailure(known, c, log);
  return answerProblem(c, known);
}

function logFailure(error: SottoError, c: Context<Env>, log: Log): void {
  const properties = { ...details(error), request_id: c.get("requestId") };
  if (error.status === 503) log.warn("request refused", properties);
  else log.error("request failed", properties);
}

/** The error as an answer. */
export function answerProblem(c: Context<Env>, error: SottoError): Response {
  const { code, status } = error;
  c.set("errorCode", code);
  if (status === 401) c.header("www-authenticate", "Bearer");
  const seconds = error.retryAfter ?? RETRY_SECONDS[code];
  if (seconds !== undefined) c.header("retry-after", String(seconds));
  const problem = problemOf(code, error.message, c.get("requestId"));
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
  if (error instanceof HTTPException && error.status < 500) {
    return new SottoError("malformed_request", `correct the request: ${error.message}`, { cause: error });
  }
  return knownError(error, advice);
}
