import { parseTrainingSpec, type TrainingSpec } from "../../circuits/training/spec.ts";
import type { TrainingSessionRow } from "../../db/mod.ts";

/** The specification of a session. */
export function specOf({ spec }: Pick<TrainingSessionRow, "spec">): TrainingSpec {
  return parseTrainingSpec(spec);
}
