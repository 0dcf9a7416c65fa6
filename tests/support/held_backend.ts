import type { Backend } from "../../circuits/backend.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { SottoError } from "../../errors.ts";

/** A plain back end whose tree evaluations wait: until `release`, or until they are cancelled. */
export interface HeldBackend {
  readonly backend: Backend;
  /** Evaluations that wait at the moment. */
  readonly waiting: () => number;
  /** Tells all that wait how far they are. */
  readonly progress: (share: number) => void;
  /** Lets those that wait compute, and from now on all others. */
  readonly release: () => void;
}

/** Makes one; evaluations of fewer than `heldRows` rows do not wait. */
export function heldBackend(heldRows = 1): HeldBackend {
  const backend = plainBackend();
  const evaluate = backend.evaluateLeaves.bind(backend);
  const open = Promise.withResolvers<void>();
  const told = new Set<(share: number) => void>();
  backend.evaluateLeaves = async (matrix, keys, rows, shape, options = {}) => {
    if (shape.rowCount >= heldRows) {
      const tell = (share: number) => options.onProgress?.(share);
      told.add(tell);
      await Promise.race([open.promise, aborted(options.signal)]).finally(() => told.delete(tell));
    }
    return await evaluate(matrix, keys, rows, shape, options);
  };
  return {
    backend,
    waiting: () => told.size,
    progress: (share) => told.forEach((tell) => tell(share)),
    release: () => open.resolve(),
  };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const cancel = () => reject(new SottoError("cancelled", "evaluating was cancelled"));
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
  });
}
