import { SottoError } from "../errors.ts";

const LOST = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|57P0|08|53300)/;
/** The driver's own errors have no code. */
const LOST_WORDS =
  /^(Connection terminated|Client (has encountered|was closed)|timeout exceeded when trying to connect|Cannot use a pool after)/;

/** `database_unavailable` when the error says that the connection is gone; nothing otherwise. */
export function asDatabaseError(error: unknown): SottoError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code === "string" ? LOST.test(code) : LOST_WORDS.test(cause.message)) {
      return new SottoError("database_unavailable", "the database does not answer: send the request again later", {
        cause,
      });
    }
  }
  return undefined;
}
