/**
 * Units of everything in a run. Scores fill half of the torus: z in [-R, R] is phase z / (4 R). A unit of a weight is that of a score
 * divided by the integer of u = 1, a unit of an error again by it, so that x e adds to w. All units are integers of q.
 */
import { CURRENT } from "../../params/mod.ts";
import { decaysOf, rateOf } from "./schedule.ts";
import type { LinearSpec, TrainingSpec } from "./spec.ts";

const Q = Number(CURRENT.modulus);
/** The largest multiple of a label that a step takes: its noise grows by it, the rate of a step is rounded by its inverse. */
const FACTOR_MAX = 2 ** 13;
/** Steps of a regression's label in one unit of u. */
const TARGET_STEPS = 2 ** 12;

export interface WeightScales {
  /** decay[t], see `decaysOf`. */
  readonly decays: Float64Array;
  readonly scoreUnit: number;
  readonly weightUnit: number;
  readonly errorUnit: number;
}

/** Units of weights that meet encrypted data. */
export function weightScales(spec: TrainingSpec): WeightScales {
  const decays = decaysOf(spec);
  const scoreUnit = Q / (4 * spec.score_range) * decays.reduce((least, decay) => Math.min(least, decay));
  const weightUnit = scoreUnit / spec.feature_scale;
  return { decays, scoreUnit, weightUnit, errorUnit: weightUnit / spec.feature_scale };
}

export interface LinearScales extends WeightScales {
  /** A label y is encrypted as round(y * labelSteps) times `labelScale`. */
  readonly labelSteps: number;
  readonly labelScale: bigint;
  /** The integer that the label of step t is multiplied by. */
  readonly factors: Float64Array;
  /** Units of q that an error of 1 gets in step t. */
  readonly errorSteps: Float64Array;
}

/**
 * Logistic: the error is (rate / m / decay[t + 1]) (y - sigma(z)); label and table take the same rounded rate, factor * labelScale.
 * Linear: the label is subtracted from the score, in the unit of scores, before the table.
 */
export function linearScales(spec: LinearSpec): LinearScales {
  const scales = weightScales(spec);
  const wanted = Float64Array.from(
    { length: spec.steps },
    (_, t) => scales.errorUnit * rateOf(spec, t) / spec.batch_size / scales.decays[t + 1],
  );
  if (spec.kind === "linear") {
    const labelScale = Math.max(1, Math.round(scales.scoreUnit / (FACTOR_MAX * TARGET_STEPS)));
    const one = scales.scoreUnit / (labelScale * TARGET_STEPS);
    const factors = wanted.map((_, t) => Math.round(one / scales.decays[t]));
    return { ...scales, labelSteps: TARGET_STEPS, labelScale: BigInt(labelScale), factors, errorSteps: wanted };
  }
  const labelScale = Math.max(1, Math.round(wanted.reduce((a, b) => Math.max(a, b)) / FACTOR_MAX));
  const factors = wanted.map((unit) => Math.max(1, Math.round(unit / labelScale)));
  const errorSteps = factors.map((factor) => factor * labelScale);
  return { ...scales, labelSteps: 1, labelScale: BigInt(labelScale), factors, errorSteps };
}
