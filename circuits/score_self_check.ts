/** After an import in mode `score`: the circuit in clear against direct evaluation. */
import { SottoError } from "../errors.ts";
import { evaluate } from "../models/evaluate.ts";
import { randomRows } from "../models/self_check.ts";
import type { ForestModel, Row } from "../models/types.ts";
import { Simulation } from "./network/simulate.ts";
import type { ScorePlan } from "./score.ts";
import { fixedPointErrors } from "./score_remainder.ts";
import { encodeTreesRows } from "./trees_rows.ts";

/** Rows that one check tries. */
const ROW_COUNT = 64;

/**
 * Runs the circuit without noise on random rows and compares its scores with the model's own.
 * @throws SottoError `model_refused` when they differ by more than the fixed point of mode `leaves` and the rounding of torus units
 */
export function selfCheckScore(
  model: ForestModel,
  { description, circuit }: ScorePlan,
  rows: readonly Row[] = randomRows(model, ROW_COUNT, 1),
): void {
  const simulation = new Simulation(circuit, { noise: false });
  const tolerances = scoreTolerances(model, { description, circuit });
  rows.forEach((row, r) => {
    const sums = simulation.scores(encodeTreesRows(description, [row]));
    evaluate(model, row).margins.forEach((exact, score) => {
      const value = sums[score] + description.offsets[score];
      if (Math.abs(value - exact) <= tolerances[score]) return;
      throw new SottoError(
        "model_refused",
        `the self-check failed: on random row ${
          r + 1
        } score ${score} is ${value} encrypted and ${exact} in clear; report the model`,
      );
    });
  });
}

/** What each score may be off without noise: the fixed point, half a torus unit a lookup, and the rounding of sums of doubles. */
export function scoreTolerances(model: ForestModel, { description, circuit }: ScorePlan): number[] {
  const { scales, offsets, plan } = description;
  return fixedPointErrors(model).map((error, score) => {
    const size = Math.abs(offsets[score]) + 2 ** 31 / scales[score];
    return error + (plan.lookups_per_row + circuit.outputElements.length) / scales[score] + size * 1e-12;
  });
}
