import type { Backend } from "../../circuits/backend.ts";
import { plainBackend } from "../../circuits/plain.ts";

/** The plain back end, but its tree answers are zeros of the right length: for tests of the server's own memory and time. */
export function blankBackend(answerBytes: number): Backend {
  const backend = plainBackend();
  backend.evaluateLeaves = (_matrix, _keys, _rows, { rowCount }) =>
    Promise.resolve(new Uint8Array(rowCount * answerBytes));
  return backend;
}
