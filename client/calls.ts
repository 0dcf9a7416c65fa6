/** What the long calls of the client share. */
import type { ClientBackend } from "../circuits/backend.ts";
import type { Description } from "../circuits/description.ts";
import { SottoError } from "../errors.ts";

/** The model that rows are for. */
export interface TargetModel {
  /** 64 hex digits. */
  readonly id: string;
  readonly description: Description;
}

/** Options of a long call. `onProgress` is told the share done, between 0 and 1. */
export interface LongCallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: number) => void;
}

/** @throws SottoError wrong_parameter_set when the model runs on other parameters than the back end. */
export function requireParameterSet(backend: ClientBackend, description: Description): void {
  if (description.parameter_set === backend.parameterSet) return;
  throw new SottoError(
    "wrong_parameter_set",
    `the model runs on ${description.parameter_set}, this client on ${backend.parameterSet}: use matching versions`,
  );
}

/** @throws SottoError cancelled. */
export function refuseCancelled(options: LongCallOptions): void {
  if (options.signal?.aborted) throw new SottoError("cancelled", "the call was cancelled");
}
