/** What a client encrypts for a network, and how it reads the answer. */
import { SottoError } from "../../errors.ts";
import { readCell } from "../../models/rows.ts";
import type { Row } from "../../models/types.ts";
import { CURRENT } from "../../params/mod.ts";
import type { NetworkDescription } from "../description.ts";

/** An input integer times this is its phase: one unit of the 32-bit torus. */
export const NETWORK_INPUT_SCALE = (CURRENT.modulus + 2n ** 31n) / 2n ** 32n;

/** What happens to a value outside of the range that the network was calibrated for. */
export type OutOfRange = "refuse" | "clip";

/**
 * Messages of rows: round(x scale), `ciphertexts_per_row` times N a row.
 * @throws SottoError `rows_refused` naming row, feature and value
 */
export function encodeNetworkRows(
  description: NetworkDescription,
  rows: readonly Row[],
  outOfRange: OutOfRange = "refuse",
): Int32Array {
  const stride = description.ciphertexts_per_row * CURRENT.ringDegree;
  const messages = new Int32Array(rows.length * stride);
  rows.forEach((row, r) => {
    if (row.length !== description.features.length) {
      throw new SottoError(
        "rows_refused",
        `row ${r + 1} has ${row.length} cells and the network ${description.features.length} features`,
      );
    }
    description.features.forEach((feature, f) => {
      const { value } = readCell(feature, row[f], f);
      messages[r * stride + f] = Math.round(within(feature, value, r, outOfRange) * feature.scale);
    });
  });
  return messages;
}

function within(
  { name, low, high }: NetworkDescription["features"][number],
  value: number,
  row: number,
  outOfRange: OutOfRange,
): number {
  if (value >= low && value <= high) return value;
  if (outOfRange === "clip") return Math.min(high, Math.max(low, value));
  throw new SottoError(
    "rows_refused",
    `row ${row + 1}: ${name} is ${value}, the network was calibrated for ${low.toPrecision(6)} to ${
      high.toPrecision(6)
    }; correct the cell, clip it, or import the network with such rows`,
  );
}

/** Real scores of every row and output: `phases` are centred, in units of 1 / q, all outputs of a row one after the other. */
export function decodeNetworkAnswers(
  description: NetworkDescription,
  phases: Float64Array,
  rowCount: number,
): Float64Array[][] {
  const width = description.outputs.reduce((sum, { scales }) => sum + scales.length, 0);
  const unit = 2 ** 32 / Number(CURRENT.modulus);
  return Array.from({ length: rowCount }, (_, row) => {
    let at = row * width;
    return description.outputs.map(({ scales }) => Float64Array.from(scales, (scale) => phases[at++] * unit / scale));
  });
}
