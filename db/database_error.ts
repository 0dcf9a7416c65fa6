import { SottoError } from "../errors.ts";

const LOST = /^(CONNECTION_|CONNECT_|ECONN|EPIPE|ENOTFOUND|57P0|08|53300)/;

/** `database_unavailable` when the error says that the connection is gone; nothing otherwise. */
export function asDatabaseError(error: unknown): SottoError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code === "string" && LOST.test(code)) {
      return new SottoError("database_unavailable", "the database does not answer: send the request again later", {
        cause,
      });
    }
  }
  return undefined;
}
