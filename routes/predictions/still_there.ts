import { findEvaluationKeys, findModel } from "../../db/mod.ts";
import { isSottoError } from "../../errors.ts";
import type { JobTask } from "../jobs/job.ts";
import { unknownKeys } from "../keys/find_keys.ts";
import { unknownModel } from "../models/mod.ts";
import type { Services } from "../services.ts";

/**
 * A file that is missing because its row was deleted after the request began is no fault of the store: throws `model_unknown` or
 * `key_unknown` for an error of that kind.
 */
export async function requireStillThere({ database }: Services, { model, keyRows }: JobTask, error: unknown) {
  if (!isSottoError(error) || error.code !== "store_corrupt") return;
  if (await findModel(database, model.tenantId, model.id) === undefined) throw unknownModel();
  for (const { tenantId, digest } of keyRows) {
    if (await findEvaluationKeys(database, tenantId, digest) === undefined) throw unknownKeys();
  }
}
