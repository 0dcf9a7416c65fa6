/** From the cells of a row to what a model compares. */
import { castTo, LARGEST } from "./float.ts";
import { refuseRow } from "./refuse.ts";
import type { Feature, ForestModel, Row } from "./types.ts";

/** One cell as the model sees it; a missing one has the value NaN, which compares as less than nothing. */
export interface Cell {
  readonly value: number;
  readonly missing: boolean;
}

/** LightGBM's zero: the single-precision number nearest to 1e-35. */
const ZERO_MAX = Math.fround(1e-35);

const MISSING: Cell = { value: NaN, missing: true };

/**
 * Reads one cell as the feature says.
 * @param value NaN for an empty cell
 * @param column position in the row, for messages
 * @throws SottoError `rows_refused` for a value too large for the feature's precision (infinite, or its largest finite one), or a missing one that
 * the model cannot take
 */
export function readCell(feature: Feature, value: number, column?: number): Cell {
  if (Number.isNaN(value)) return readMissing(feature, column);
  const cast = castTo(feature.cast, value);
  if (!(Math.abs(cast) < LARGEST[feature.cast])) {
    refuseRow(`The cell of ${named(feature, column)} is ${value}, too large for a ${feature.cast}; correct the cell.`);
  }
  if (feature.missing === "zero" && Math.abs(cast) <= ZERO_MAX) return MISSING;
  return { value: cast, missing: false };
}

/**
 * Reads a whole row, one cell a feature.
 * @throws SottoError `rows_refused`, also for a row of another length
 */
export function castRow(features: readonly Feature[], row: Row): Cell[] {
  if (row.length !== features.length) {
    refuseRow(`The row has ${row.length} cells and the model ${features.length} features; give one cell a feature.`);
  }
  return features.map((feature, column) => readCell(feature, row[column], column));
}

/** The sorted distinct thresholds of each feature. */
export function thresholds(model: ForestModel): number[][] {
  const sets = model.features.map(() => new Set<number>());
  for (const tree of model.trees) {
    for (const node of tree.nodes) if (node.kind === "split") sets[node.feature].add(node.threshold);
  }
  return sets.map((set) => [...set].sort((a, b) => a - b));
}

function readMissing(feature: Feature, column?: number): Cell {
  if (feature.missing === "refused") {
    refuseRow(`The cell of ${named(feature, column)} is empty, and this model takes no missing values; fill the cell.`);
  }
  return feature.missing === "as_zero" ? { value: 0, missing: false } : MISSING;
}

function named(feature: Feature, column?: number): string {
  return column === undefined ? `feature "${feature.name}"` : `feature "${feature.name}" (column ${column + 1})`;
}
