import { type EvaluationKeysRow, findEvaluationKeys, findModel, type ModelRow } from "../../db/mod.ts";
import { isSottoError } from "../../errors.ts";
import type { Computing } from "./computing.ts";
import { unknownKeys, unknownModel } from "./unknown.ts";

/** What a prediction computes with: one model, under keys of one key pair. */
export interface PredictionTask {
  readonly model: ModelRow;
  readonly keyRows: readonly EvaluationKeysRow[];
}

/**
 * A file that is missing because its row was deleted after the request began is no fault of the store: throws `model_unknown` or
 * `key_unknown` for an error of that kind.
 */
export async function requireStillThere(
  { database }: Pick<Computing, "database">,
  { model, keyRows }: PredictionTask,
  error: unknown,
): Promise<void> {
  if (!isSottoError(error) || error.code !== "store_corrupt") return;
  if (await findModel(database, model.tenantId, model.id) === undefined) throw unknownModel();
  for (const { tenantId, digest } of keyRows) {
    if (await findEvaluationKeys(database, tenantId, digest) === undefined) throw unknownKeys();
  }
}
