import type { ServerBackend } from "../../circuits/backend.ts";
import { planTraining, type TrainingSpec } from "../../circuits/training/mod.ts";
import type { StoredPlan } from "../../db/mod.ts";

/** What a session will take and how exact it will be. Throws `model_refused` with the number that does not fit. */
export async function plannedTraining(
  backend: ServerBackend,
  spec: TrainingSpec,
  batchCount: number,
): Promise<StoredPlan> {
  const costs = {
    network: await backend.networkCosts(),
    training: await backend.training.costs(),
    threads: backend.threads,
  };
  return { ...planTraining(spec, batchCount * spec.batch_size, costs) };
}
