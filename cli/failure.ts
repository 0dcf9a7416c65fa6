/** Errors as the command line shows them: one line, a hint, an exit code. */
import { type ErrorCode, isSottoError } from "../errors.ts";
import type { Context } from "./context.ts";

const HINTS: Partial<Record<ErrorCode, string>> = {
  server_unreachable: "start it with `sotto serve`, or name it with --url or SOTTO_URL",
  token_missing: "make a token with `sotto tokens create` and pass it with --token or SOTTO_TOKEN",
  token_invalid: "list tokens with `sotto tokens list`, or make one with `sotto tokens create`",
  token_expired: "make a new token with `sotto tokens create`",
  scope_missing: "make a token with that scope: `sotto tokens create --scopes predict,admin`",
  key_unknown: "register your evaluation keys with `sotto keys register FILE`; `sotto keys list` shows what is there",
  key_expired: "register your evaluation keys again with `sotto keys register FILE`",
  key_missing: "make the keys with `sotto keys make --capability ...`, then `sotto keys register FILE`",
  quota_exceeded: "delete what you need no more, or wait until one of your jobs has ended",
  rate_limited: "wait as long as the message says; `sotto tenants set` on the server's machine changes limits",
  tenant_disabled: "the server's operator enables it with `sotto tenants enable`",
  model_unknown: "`sotto models list` shows what is there",
  wrong_key: "use the secret key that belongs to the evaluation keys of this file",
  wrong_model: "pass the model that the rows were encrypted for with --model",
  library_missing: "build the kernels with `deno task build`, or name the library with SOTTO_LIBRARY",
  data_folder_locked: "the server holds it: pass --url to go through the server, or stop the server first",
};

/** Exit code of a command that failed. */
export const EXIT_FAILED = 1;
/** Exit code of a command that was called wrongly. */
export const EXIT_USAGE = 2;

/** Prints an error and returns the exit code. Causes and stacks are only shown with SOTTO_DEBUG=1. */
export function reportFailure(context: Context, error: unknown): number {
  if (isSottoError(error)) {
    context.err(`error: ${error.message} (${error.code})\n`);
    const hint = HINTS[error.code];
    if (hint !== undefined) context.err(`hint: ${hint}\n`);
  } else {
    context.err("error: something unexpected happened (internal)\nhint: set SOTTO_DEBUG=1 to see where\n");
  }
  if (context.environment("SOTTO_DEBUG") === "1") context.err(Deno.inspect(error) + "\n");
  return EXIT_FAILED;
}
