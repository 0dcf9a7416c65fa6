/** What may be done to a session in which of its states: the whole life of a session in one closed table. */
import type { TrainingState } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";

/**
 * The states in which an action is allowed. A run moves on by itself: from `running` to `paused` at its last step, to `trained` after the
 * last step of all, to `failed` on an error; a process that ends leaves `interrupted`.
 */
export const ALLOWED = {
  /** Keys, owners, row order and batches. */
  prepare: ["preparing"],
  /** Leads to `running`. */
  run: ["preparing", "paused"],
  /** Leads to `paused`. */
  pause: ["running", "interrupted"],
  /** Leads to `running`, up to the step that the run before was to end at. */
  resume: ["paused", "interrupted", "failed"],
  put_weights: ["preparing", "paused", "trained"],
  /** Leads to `finished`. */
  finish: ["paused", "trained"],
  predict: ["finished"],
  delete: ["preparing", "paused", "interrupted", "failed", "trained", "finished"],
} as const satisfies Record<string, readonly TrainingState[]>;

export type Action = keyof typeof ALLOWED;

/** The actions that are allowed in a state. */
export function allowedIn(state: TrainingState): Action[] {
  return (Object.keys(ALLOWED) as Action[]).filter((action) => statesOf(action).includes(state));
}

/** The states that allow an action. */
export function statesOf(action: Action): readonly TrainingState[] {
  return ALLOWED[action];
}

/** Throws `session_state` when the action is not allowed in the state. */
export function requireAllowed(state: TrainingState, action: Action): void {
  if (!statesOf(action).includes(state)) throw wrongState(state, action);
}

/** The refusal of an action: names the state and what it allows. */
export function wrongState(state: TrainingState, action: Action): SottoError {
  const allowed = allowedIn(state).map(words).join(", ");
  const message = `the session is ${state}: ${words(action)} is not possible now, allowed ${
    allowed ? `are: ${allowed}` : "is nothing"
  }`;
  return new SottoError("session_state", message);
}

function words(action: Action): string {
  return action.replace("_", " ");
}
