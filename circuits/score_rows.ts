/** The client's side of mode `score`: rows to messages, decrypted sums to scores. */
import type { Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { ScoreDescription } from "./description.ts";
import { type AnswerLayout, lweAnswerLayout } from "./layout.ts";
import { SLOT } from "./score_circuit.ts";
import { encodeTreesRows } from "./trees_rows.ts";

/**
 * Messages of each row in units of 2^-32 of the torus, `ciphertexts_per_row` * N a row (stride N): one slot for each threshold bit that
 * is set. Encrypt them with the scale `NETWORK_INPUT_SCALE`.
 * @throws SottoError `rows_refused`
 */
export function encodeScoreRows(description: ScoreDescription, rows: readonly Row[]): Int32Array {
  return encodeTreesRows(description, rows).map((bit) => bit * SLOT);
}

/** Where the sums of one row lie: what `ClientBackend.decrypt` asks for, with scale 1. */
export function scoreAnswerLayout(description: ScoreDescription): AnswerLayout {
  return lweAnswerLayout(description.scales.length, description.answer_bits);
}

/** Scores of each row, without the base, row after row: `phases` are centred, in units of 1 / q. */
export function decodeScoreAnswers({ scales, offsets }: ScoreDescription, phases: Float64Array): Float64Array {
  const unit = 2 ** 32 / Number(CURRENT.modulus);
  return phases.map((phase, i) => offsets[i % scales.length] + phase * unit / scales[i % scales.length]);
}
