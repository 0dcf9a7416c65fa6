/** Rows and targets in clear, and the integers that are encrypted of them. */
import { SottoError } from "../../errors.ts";
import { linearScales } from "./scales.ts";
import { columnCount, scaled, scoreCount, type TrainingSpec } from "./spec.ts";

/** Rows in the order of the specification's features; a target is the index of a class, or the value of a regression. */
export interface TrainingData {
  readonly rows: readonly ArrayLike<number>[];
  readonly targets: ArrayLike<number>;
}

/**
 * One row on [-1, 1], the constant column last.
 * @throws SottoError `rows_refused` for another number of values, or one that is no finite number
 */
export function unitRow(spec: TrainingSpec, row: ArrayLike<number>): Float64Array {
  if (row.length !== spec.features.length) {
    throw new SottoError("rows_refused", `a row has ${row.length} values, ${spec.features.length} are needed`);
  }
  const units = new Float64Array(columnCount(spec)).fill(1);
  spec.features.forEach((feature, f) => {
    if (!Number.isFinite(row[f])) {
      throw new SottoError("rows_refused", `${feature.name} is ${row[f]}: training needs a number in every cell`);
    }
    units[f] = Math.max(-1, Math.min(1, scaled(feature, spec.clip, row[f])));
  });
  return units;
}

/** round(u * feature_scale) of a row on [-1, 1]. */
export function dataIntegers(spec: TrainingSpec, units: Float64Array): Int32Array {
  return Int32Array.from(units, (u) => Math.round(u * spec.feature_scale));
}

/** What each score of a row should be: 0 or 1, or the scaled target of a regression. */
export function labelsOf(spec: TrainingSpec, target: number): Float64Array {
  if (spec.kind === "linear") {
    return Float64Array.of(
      Math.max(-spec.score_range, Math.min(spec.score_range, scaled(spec.target, spec.clip, target))),
    );
  }
  if (!Number.isInteger(target) || target < 0 || target >= spec.classes.length) {
    throw new SottoError("rows_refused", `${target} is no index of the ${spec.classes.length} classes`);
  }
  const count = scoreCount(spec);
  return Float64Array.from({ length: count }, (_, c) => Number(target === (count === 1 ? 1 : c)));
}

/** The integers that labels are encrypted as, before their scale. */
export function labelIntegers(spec: TrainingSpec, target: number): Int32Array {
  const steps = spec.kind === "mlp" ? 1 : linearScales(spec).labelSteps;
  return Int32Array.from(labelsOf(spec, target), (y) => Math.round(y * steps));
}
