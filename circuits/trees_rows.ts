/** The client's side of tree models: rows to bits, decrypted answers to scores. */
import { SottoError } from "../errors.ts";
import { readCell } from "../models/rows.ts";
import type { Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { TreesDescription } from "./description.ts";
import { type AnswerLayout, answerLayout } from "./layout.ts";
import { LIMB_BASE } from "./leaf_labels.ts";

/** What the bits of a row follow from. */
export type TreesColumns = Pick<TreesDescription, "features" | "ciphertexts_per_row">;

/** The factor of a bit in an encrypted row, and the divisor of an answer's phase: delta = floor(q / p). */
export function treesScale(description: TreesDescription): bigint {
  return CURRENT.modulus / BigInt(description.plaintext_modulus);
}

/** Where the answers of one row lie: what `ClientBackend.decrypt` asks for. */
export function treesAnswerLayout(description: TreesDescription): AnswerLayout {
  const leaves = description.trees.reduce((sum, tree) => sum + tree.leaf_count, 0);
  return answerLayout({
    outputs: leaves * (1 + description.label_count),
    columnCount: description.column_count,
    bits: description.answer_bits,
  });
}

/**
 * The bits of each row, `ciphertexts_per_row` * N messages a row (stride N): [cast(x) >= t] for every threshold, then the missing bit.
 * A missing cell sets the threshold bits that the description names.
 * @throws SottoError `rows_refused`
 */
export function encodeTreesRows(description: TreesColumns, rows: readonly Row[]): Int32Array {
  const stride = description.ciphertexts_per_row * CURRENT.ringDegree;
  const messages = new Int32Array(rows.length * stride);
  rows.forEach((row, r) => writeBits(description, row, r, messages.subarray(r * stride, (r + 1) * stride)));
  return messages;
}

function writeBits(description: TreesColumns, row: Row, r: number, bits: Int32Array): void {
  requireWidth(row, description.features.length, r);
  let at = 0;
  description.features.forEach((feature, column) => {
    const cell = readCell(feature, row[column], column);
    if (cell.missing) { for (const bit of feature.missing_ones) bits[at + bit] = 1; }
    else bits.fill(1, at, at + countAtMost(feature.thresholds, cell.value));
    at += feature.thresholds.length;
    if (feature.missing_bit) bits[at++] = cell.missing ? 1 : 0;
  });
}

/** @throws SottoError `rows_refused` */
export function requireWidth(row: Row, width: number, r: number): void {
  if (row.length !== width) {
    throw new SottoError("rows_refused", `row ${r + 1} has ${row.length} values, the model has ${width} features`);
  }
}

/** How many of the sorted thresholds are <= value. */
function countAtMost(thresholds: readonly number[], value: number): number {
  let low = 0, high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= thresholds[middle]) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Scores of each row, without the base: row after row, one a score of the output. `values` are the outputs of `rowCount` answers,
 * as `ClientBackend.decrypt` gives them.
 * @throws SottoError `wrong_key` when a tree has not exactly one zero
 */
export function decodeTreesAnswers(
  description: TreesDescription,
  values: Float64Array,
  rowCount: number,
): Float64Array {
  const scoreCount = description.output.base.length;
  const scores = new Float64Array(rowCount * scoreCount);
  const width = 1 + description.label_count;
  let at = 0;
  for (let r = 0; r < rowCount; r++) {
    for (const tree of description.trees) {
      const leaf = findZero(description, values, at, tree.leaf_count, r);
      tree.outputs.forEach((score, i) => {
        scores[r * scoreCount + score] += tree.label_offset +
          tree.label_step * digits(description, values, leaf + 1 + i * description.label_limbs);
      });
      at += tree.leaf_count * width;
    }
  }
  return scores;
}

/** Index in `values` of the zero test of the one leaf whose cost is 0. */
function findZero(
  description: TreesDescription,
  values: Float64Array,
  first: number,
  leafCount: number,
  r: number,
): number {
  const width = 1 + description.label_count;
  let found = -1, zeros = 0;
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const at = first + leaf * width;
    if (values[at] % description.plaintext_modulus === 0) [found, zeros] = [at, zeros + 1];
  }
  if (zeros !== 1) {
    throw new SottoError(
      "wrong_key",
      `the answer of row ${
        r + 1
      } cannot be decrypted with this key: use the key and the model that the rows were encrypted with`,
    );
  }
  return found;
}

/** sum_i digit_i 2^(16 i) of the digits that begin at `at`. */
function digits(description: TreesDescription, values: Float64Array, at: number): number {
  const p = description.plaintext_modulus;
  let sum = 0;
  for (let limb = description.label_limbs - 1; limb >= 0; limb--) {
    sum = sum * LIMB_BASE + (values[at + limb] % p + p) % p;
  }
  return sum;
}
