/** The quantile grid of a model whose thresholds must stay secret (`bins=quantile`). */
import { SottoError } from "../errors.ts";
import type { Row } from "../models/types.ts";

/**
 * For each feature the sorted distinct quantiles of its known values: at most 2^nBits - 1 edges, so 2^nBits bins. A feature
 * without a known value has the one edge 0.
 * @param bitCount 1 .. 16
 * @throws SottoError rows_refused when there are no rows or bitCount is out of range.
 */
export function quantileEdges(rows: readonly Row[], bitCount: number): number[][] {
  if (!Number.isInteger(bitCount) || bitCount < 1 || bitCount > 16) {
    throw new SottoError("rows_refused", `the number of bits must be a whole number from 1 to 16, not ${bitCount}`);
  }
  if (rows.length === 0) throw new SottoError("rows_refused", "quantiles need calibration rows: give at least one");
  return Array.from(rows[0], (_, feature) => edgesOf(rows.map((row) => row[feature]), 2 ** bitCount));
}

function edgesOf(values: number[], binCount: number): number[] {
  const known = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  if (known.length === 0) return [0];
  const edges = Array.from({ length: binCount - 1 }, (_, index) => quantile(known, (index + 1) / binCount));
  return [...new Set(edges)].sort((a, b) => a - b);
}

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996, the default of numpy). */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
