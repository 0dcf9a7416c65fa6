import { encodeHeader, expectedLength, type FileStream } from "../circuits/wire.ts";
import { inTransaction, type JobPriority, type JobRow } from "../db/mod.ts";
import { addJob, type NewPart, requireRoom } from "./add_job.ts";
import { plannedSeconds } from "./compute/chunks.ts";
import type { CompiledModel } from "./compute/compiled_model.ts";
import { answersHeader } from "./compute/open_rows.ts";
import type { PredictionTask } from "./compute/still_there.ts";
import { type CutPart, cutRows, rowsPerPart } from "./cut_rows.ts";
import type { predictionTaskSchema } from "./handlers/prediction.ts";
import { type HeldObject, holdStaged, requireStorage } from "../store/mod.ts";
import type { JobBasis } from "./job_basis.ts";
import type { z } from "@hono/zod-openapi";

/** A prediction that becomes a job. */
export interface NewPrediction {
  readonly task: PredictionTask;
  readonly model: CompiledModel;
  readonly rows: FileStream;
  readonly priority: JobPriority;
  /** Of the request. */
  readonly idempotencyKey?: string;
  /** Threads that its plan counts with. */
  readonly threads: number;
}

/**
 * Stores the rows of a prediction in parts and adds the job once their digest was found right. A process that ends before leaves objects
 * that no row names, which are collected. Memory: one chunk of rows.
 * Throws `busy`, `quota_exceeded`, and what reading the rows throws.
 */
export async function addPrediction(basis: JobBasis, made: NewPrediction): Promise<JobRow> {
  const { task, model, rows, threads } = made;
  const { rowCount } = rows.header;
  const bytes = expectedLength(rows.header) + expectedLength(answersHeader(rows.header, model));
  try {
    await requireRoom(basis, basis.database, task.model.tenantId, bytes);
    await requireStorage(basis, task.model.tenantId, expectedLength(rows.header));
  } catch (error) {
    await rows.cancel();
    throw error;
  }
  const partRows = rowsPerPart(model, { rowCount, threads, partRows: basis.config.partRows });
  const parts = await cutRows(basis.store, rows, model, partRows);
  const held: HeldObject[] = [];
  try {
    for (const { staged } of parts) held.push(await holdStaged(basis, task.model, staged));
    const added = await inTransaction(basis.database, (inside) => {
      return addJob(basis, inside, jobOf(made), parts.map((part) => partOf(part, made)));
    });
    return added.job;
  } finally {
    for (const { staged } of parts) await staged.discard().catch(() => undefined);
    for (const { end } of held) await end();
  }
}

function jobOf({ task: { model: row, keyRows }, model, rows, priority, idempotencyKey }: NewPrediction) {
  const task: z.infer<typeof predictionTaskSchema> = {
    model_id: row.id,
    keys: keyRows.map(({ digest }) => digest),
    rows_digest: rows.digest(),
    answers_header: encodeHeader(answersHeader(rows.header, model)).toBase64(),
  };
  const { plan } = model.description;
  const memoryBytes = "memory_bytes" in plan ? plan.memory_bytes : 0;
  const { id: subject, tenantId } = row;
  return {
    tenantId,
    idempotencyKey: idempotencyKey ?? null,
    kind: "prediction" as const,
    subject,
    task,
    priority,
    memoryBytes,
  };
}

function partOf(
  { firstRow, rows, bytes, staged }: CutPart,
  { model, rows: { header }, threads }: NewPrediction,
): NewPart {
  const answers = { ...answersHeader(header, model), rowCount: rows, recordCount: model.unitsOf(rows) };
  return {
    firstRow,
    rows,
    plannedSeconds: plannedSeconds(model, rows, threads),
    inputObject: staged.digest,
    inputBytes: bytes,
    outputBytes: expectedLength(answers),
  };
}
