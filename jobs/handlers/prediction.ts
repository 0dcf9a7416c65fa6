/** Parts of predictions: some rows of an encrypted rows file, under the keys and the model of the job. */
import { z } from "@hono/zod-openapi";
import { type EvaluationKeysRow, findEvaluationKeys, findModel, type JobRow } from "../../db/mod.ts";
import { holdStaged } from "../../store/mod.ts";
import type { Attempt } from "../attempt.ts";
import type { Computing } from "../compute/computing.ts";
import { evaluateRows } from "../compute/evaluate_rows.ts";
import { leaseKeyRing } from "../compute/lease_keys.ts";
import { leaseModel } from "../compute/lease_model.ts";
import { openRows } from "../compute/open_rows.ts";
import { type PredictionTask, requireStillThere } from "../compute/still_there.ts";
import { unknownKeys, unknownModel } from "../compute/unknown.ts";
import { openPartObject, stagePartObject } from "../part_objects.ts";
import type { PartOutcome } from "./handler.ts";
import { pieceStream, takePieces } from "./piece_stream.ts";

/** What the record of a prediction holds. */
export const predictionTaskSchema = z.object({
  model_id: z.string(),
  /** Digests of the key files, all of one key pair. */
  keys: z.array(z.string()),
  /** Digest of the whole rows file. */
  rows_digest: z.string(),
  /** Header of the whole answers file, base64. */
  answers_header: z.string(),
});

/** Evaluates the rows of a part and stores its answers, a file of their own. */
export async function computePrediction(computing: Computing, attempt: Attempt): Promise<PartOutcome> {
  const task = await findTask(computing, attempt.claim.job);
  try {
    return await compute(computing, task, attempt);
  } catch (error) {
    await requireStillThere(computing, task, error);
    throw error;
  }
}

async function compute(
  computing: Computing,
  { model: row, keyRows }: PredictionTask,
  attempt: Attempt,
): Promise<PartOutcome> {
  const { part } = attempt.claim;
  using model = await leaseModel(computing, row);
  using keys = await leaseKeyRing(computing, keyRows);
  const owner = { modelId: row.id, model: model.value, keyId: keyRows[0]?.keyId };
  const rows = await openRows(computing, owner, await openPartObject(computing.store, part.inputObject));
  const evaluation = {
    kind: "prediction" as const,
    tenant: row.tenantId,
    model: model.value,
    keys: keys.value,
    signal: attempt.signal,
    onProgress: (share: number) => attempt.note(share),
  };
  const pieces = pieceStream((sink) => evaluateRows(computing, rows, sink, evaluation));
  const staged = await takePieces(pieces, (stream) => stagePartObject(computing.store, stream, part.outputBytes));
  try {
    const serverMs = await pieces.result;
    const held = await holdStaged(computing, { tenantId: row.tenantId, admitted: true }, staged);
    return { outputObject: held.digest, held, serverMs };
  } finally {
    await staged.discard();
    await rows.cancel();
  }
}

async function findTask({ database }: Computing, { tenantId, task }: JobRow): Promise<PredictionTask> {
  const { model_id, keys } = predictionTaskSchema.parse(task);
  const model = await findModel(database, tenantId, model_id);
  if (model === undefined) throw unknownModel();
  const keyRows: EvaluationKeysRow[] = [];
  for (const digest of keys) {
    const row = await findEvaluationKeys(database, tenantId, digest);
    if (row === undefined) throw unknownKeys();
    keyRows.push(row);
  }
  return { model, keyRows };
}
