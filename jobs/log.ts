/** The structured log, and how errors appear in it. */
import { asDatabaseError } from "../db/mod.ts";
import { isSottoError, SottoError } from "../errors.ts";

/** Structured log; a LogTape logger is one. Never give it tokens, bodies or rows. */
export interface Log {
  info(message: string, properties: Record<string, unknown>): void;
  warn(message: string, properties: Record<string, unknown>): void;
  error(message: string, properties: Record<string, unknown>): void;
}

/** Any error as one with a code; what is not foreseen becomes `internal` with the advice as its message. */
export function knownError(error: unknown, advice: string): SottoError {
  if (isSottoError(error)) return error;
  return asDatabaseError(error) ?? new SottoError("internal", advice, { cause: error });
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
