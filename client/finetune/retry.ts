import { type ErrorCode, isSottoError, SottoError } from "../../errors.ts";

/** Errors of a server that may be back, or free, a little later. */
const PASSING: readonly ErrorCode[] = [
  "server_unreachable",
  "busy",
  "rate_limited",
  "out_of_memory",
  "database_unavailable",
  "cancelled",
];
const WAIT_FIRST_MS = 250;
const WAIT_MAX_MS = 15_000;

export interface RetryOptions {
  /** How long to go on after the first failure; default 120 s. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  /** Told of every failure that is followed by another attempt. */
  readonly onRetry?: (error: SottoError) => void;
}

/** Runs `attempt` until it succeeds; every attempt starts from nothing. Other errors, and the last one, are thrown. */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { seconds = 120, signal, onRetry } = options;
  let deadline: number | undefined;
  for (let wait = WAIT_FIRST_MS;; wait = Math.min(2 * wait, WAIT_MAX_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isSottoError(error) || !PASSING.includes(error.code) || signal?.aborted) throw error;
      deadline ??= performance.now() + seconds * 1000;
      if (performance.now() + wait > deadline) throw error;
      onRetry?.(error);
    }
    await pause(wait, signal);
  }
}

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
  if (signal?.aborted) throw new SottoError("cancelled", "the call was cancelled");
}
