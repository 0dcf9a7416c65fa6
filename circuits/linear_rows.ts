/** The client's side of linear models: rows to fixed point, decrypted answers to scores. */
import { SottoError } from "../errors.ts";
import { readCell } from "../models/rows.ts";
import type { Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { LinearDescription } from "./description.ts";
import { type AnswerLayout, linearAnswerLayout } from "./layout.ts";
import { LINEAR_SUM_BITS, timesPower } from "./linear.ts";
import { requireWidth } from "./trees_rows.ts";

export interface EncodedLinearRows {
  /** `ciphertextCount` * N messages (stride N): row r of a ciphertext begins at coefficient r D'. Encrypt them with scale 1. */
  readonly messages: Int32Array;
  readonly ciphertextCount: number;
  /** log2 of the client's scale of each ciphertext: whoever decodes the answers needs them. */
  readonly scaleLog2s: number[];
}

/** Where the answers of one ciphertext lie: what `ClientBackend.decrypt` asks for, with scale 1. */
export function linearLayout(description: LinearDescription): AnswerLayout {
  return linearAnswerLayout({
    scoreCount: description.score_count,
    columnCount: description.column_count,
    bits: description.answer_bits,
  });
}

/**
 * Rows to integers, each ciphertext with the largest power-of-two scale at which none of its rows can overflow.
 * @throws SottoError `rows_refused` for a wrong width, a missing value or one that is too large
 */
export function encodeLinearRows(description: LinearDescription, rows: readonly Row[]): EncodedLinearRows {
  const perCiphertext = description.rows_per_ciphertext;
  const ciphertextCount = Math.ceil(rows.length / perCiphertext);
  const messages = new Int32Array(ciphertextCount * CURRENT.ringDegree);
  const stride = CURRENT.ringDegree / perCiphertext;
  const scaleLog2s: number[] = [];
  for (let i = 0; i < ciphertextCount; i++) {
    const first = i * perCiphertext;
    const columns = rows.slice(first, first + perCiphertext).map((row, r) =>
      scaledColumns(description, row, first + r)
    );
    const scaleLog2 = Math.min(...columns.map((row) => largestScaleLog2(row, description.input_sum_bits)));
    columns.forEach((row, r) => messages.set(fixedPoint(row, scaleLog2), i * CURRENT.ringDegree + r * stride));
    scaleLog2s.push(scaleLog2);
  }
  return { messages, ciphertextCount, scaleLog2s };
}

/** y_f = x_f 2^(e_f), then the constant column of the bias. */
function scaledColumns(description: LinearDescription, row: Row, r: number): Float64Array {
  requireWidth(row, description.features.length, r);
  const out = new Float64Array(description.column_count);
  description.features.forEach((feature, column) => {
    const cell = readCell(feature, row[column], column);
    out[column] = timesPower(cell.value, feature.exponent);
    if (cell.missing || !Number.isFinite(out[column])) {
      const what = cell.missing ? "is empty, and a linear model has no missing values" : "is too large";
      throw new SottoError(
        "rows_refused",
        `row ${r + 1}: the value of feature ${feature.name} (column ${column + 1}) ${what}`,
      );
    }
  });
  out[description.column_count - 1] = timesPower(1, description.bias_exponent);
  return out;
}

/** A scale of 2^1000 is more than any sum of columns needs: a row of zeros fits at every scale. */
const SCALE_LOG2_MAX = 1000;

function largestScaleLog2(columns: Float64Array, sumBits: number): number {
  const most = columns.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
  if (most === 0) return SCALE_LOG2_MAX;
  let scaleLog2 = Math.min(SCALE_LOG2_MAX, Math.floor(sumBits - Math.log2(most)) + 1);
  while (fixedPoint(columns, scaleLog2).reduce((sum, y) => sum + Math.abs(y), 0) > 2 ** sumBits) scaleLog2--;
  return scaleLog2;
}

function fixedPoint(columns: Float64Array, scaleLog2: number): Float64Array {
  return columns.map((y) => Math.round(timesPower(y, scaleLog2)));
}

/**
 * Scores of each row, without the base: row after row, one a score. `values` are the outputs of all answers, as
 * `ClientBackend.decrypt` gives them; `scaleLog2s` are those of `encodeLinearRows`.
 * @throws SottoError `wrong_key` when a value is larger than any right answer can be, `rows_refused` when the scales are not those
 * of these rows
 */
export function decodeLinearAnswers(
  description: LinearDescription,
  values: Float64Array,
  rowCount: number,
  scaleLog2s: readonly number[],
): Float64Array {
  const { rows_per_ciphertext: perCiphertext, score_count: scoreCount } = description;
  if (scaleLog2s.length !== Math.ceil(rowCount / perCiphertext)) {
    throw new SottoError(
      "rows_refused",
      `there are ${scaleLog2s.length} scales for ${rowCount} rows; use the scales that were written when these rows were encrypted`,
    );
  }
  const scores = new Float64Array(rowCount * scoreCount);
  for (let r = 0; r < rowCount; r++) {
    const ciphertext = Math.floor(r / perCiphertext);
    const unit = -(scaleLog2s[ciphertext] + description.weight_bits);
    for (let c = 0; c < scoreCount; c++) {
      const value = values[(ciphertext * scoreCount + c) * perCiphertext + r % perCiphertext];
      requirePossible(description, value, r);
      scores[r * scoreCount + c] = timesPower(value, unit);
    }
  }
  return scores;
}

/** A right answer is at most 2^48 and noise; with a wrong key it is uniform below 2^49. */
function requirePossible(description: LinearDescription, value: number, r: number): void {
  if (Math.abs(value) > 2 ** LINEAR_SUM_BITS + 2 ** (description.plan.noise_log2 + 4)) {
    throw new SottoError(
      "wrong_key",
      `the answer of row ${
        r + 1
      } cannot be decrypted with this key: use the key and the model that the rows were encrypted with`,
    );
  }
}
