import type { JobTask } from "../jobs/job.ts";
import type { Compute } from "../jobs/jobs.ts";
import { leaseKeyRing } from "../keys/lease_keys.ts";
import { leaseModel } from "../models/lease_model.ts";
import type { Services } from "../services.ts";
import { evaluateRows } from "./evaluate_rows.ts";
import { openRows } from "./open_rows.ts";
import { requireStillThere } from "./still_there.ts";

/** How the jobs of a server compute: as a prediction does that is answered at once. */
export function jobComputer(services: () => Services): Compute {
  return async (task, body, answers, options) => {
    try {
      return await compute(services(), task, body, answers, options);
    } catch (error) {
      await body.cancel().catch(() => undefined);
      await requireStillThere(services(), task, error);
      throw error;
    }
  };
}

async function compute(
  services: Services,
  { model: row, keyRows }: JobTask,
  ...[body, answers, options]: [Parameters<Compute>[1], Parameters<Compute>[2], Parameters<Compute>[3]]
): Promise<number> {
  using model = await leaseModel(services, row);
  using keys = await leaseKeyRing(services, keyRows);
  const rows = await openRows(services, { modelId: row.id, model: model.value, keyId: keyRows[0]?.keyId }, body);
  return await evaluateRows(services, rows, answers, { model: model.value, keys: keys.value, ...options });
}
