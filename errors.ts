/**
 * The closed list of error codes and the one table that maps a code to its HTTP status.
 *
 * `message` is for the person who made the call: it names what is wrong and what to do. Private detail (stack, cause) goes
 * to the log through `cause` and never leaves the process.
 */
export const ERROR_STATUS = {
  // The caller's bytes
  malformed_request: 400,
  malformed_file: 400,
  digest_mismatch: 400,
  wrong_file_kind: 400,
  unsupported_version: 400,
  rows_refused: 422,
  model_refused: 422,
  wrong_parameter_set: 422,
  insecure_parameter_set: 422,
  wrong_key: 409,
  wrong_model: 409,
  key_missing: 409,
  // The caller
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  scope_missing: 403,
  tenant_disabled: 403,
  tenant_unknown: 404,
  // What the caller named
  key_unknown: 404,
  key_expired: 410,
  model_unknown: 404,
  job_unknown: 404,
  job_unfinished: 409,
  token_unknown: 404,
  session_unknown: 404,
  session_state: 409,
  route_unknown: 404,
  method_not_allowed: 405,
  conflict: 409,
  idempotency_key_reused: 422,
  body_too_large: 413,
  length_required: 411,
  quota_exceeded: 429,
  rate_limited: 429,
  // This machine
  cancelled: 499,
  internal: 500,
  backend_failed: 500,
  library_missing: 500,
  store_corrupt: 500,
  worker_lost: 500,
  store_unavailable: 503,
  data_folder_locked: 503,
  out_of_memory: 503,
  busy: 503,
  database_unavailable: 503,
  schema_version_wrong: 503,
  migration_running: 503,
  // The client's side only (never sent by the server)
  file_unreadable: 400,
  passphrase_needed: 400,
  passphrase_wrong: 400,
  server_unreachable: 502,
  configuration_invalid: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** What goes with an error. */
export interface SottoErrorOptions extends ErrorOptions {
  /** Seconds after which the same request may succeed. */
  readonly retryAfter?: number;
}

/** The only error type that crosses a folder of this project. */
export class SottoError extends Error {
  override readonly name = "SottoError";
  /** Seconds after which the same request may succeed. */
  readonly retryAfter?: number;
  constructor(readonly code: ErrorCode, message: string, options?: SottoErrorOptions) {
    super(message, options);
    this.retryAfter = options?.retryAfter;
  }
  get status(): number {
    return ERROR_STATUS[this.code];
  }
}

/** True for an error that carries a message meant for the caller. */
export function isSottoError(error: unknown): error is SottoError {
  return error instanceof SottoError;
}
