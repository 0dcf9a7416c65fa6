import { createHash } from "node:crypto";
import { inTransaction, type JobPriority, type JobRow } from "../db/mod.ts";
import { addJob, requireRoom } from "./add_job.ts";
import type { ImportRequest } from "./compute/import_model.ts";
import { keepObject } from "../store/mod.ts";
import type { JobBasis } from "./job_basis.ts";
import { stagePartObject } from "./part_objects.ts";

/** Seconds that an import counts in the fair order of imports: measured ones take fractions of a second to some minutes. */
const PLANNED_SECONDS = 10;

/** Of the job that imports. */
export interface ImportJobOptions {
  readonly priority: JobPriority;
  /** Of the request. */
  readonly idempotencyKey?: string;
}

/** Stores the files of an import and adds the job. Throws `busy` or `quota_exceeded`. */
export async function addImport(
  basis: JobBasis,
  tenantId: string,
  { name, options, file, calibrationFile }: ImportRequest,
  { priority, idempotencyKey }: ImportJobOptions,
): Promise<JobRow> {
  const inputBytes = file.length + (calibrationFile?.length ?? 0);
  await requireRoom(basis, basis.database, tenantId, inputBytes);
  const task = { name, options, file_bytes: file.length, file_digest: digestOf(file) };
  const made = {
    tenantId,
    idempotencyKey: idempotencyKey ?? null,
    kind: "import" as const,
    subject: null,
    task,
    priority,
    memoryBytes: 0,
  };
  const files = ReadableStream.from(calibrationFile === undefined ? [file] : [file, calibrationFile]);
  const staged = await stagePartObject(basis.store, files, inputBytes);
  const part = { firstRow: 0, rows: 0, plannedSeconds: PLANNED_SECONDS, inputBytes, outputBytes: 0 };
  try {
    const added = await keepObject(basis, made, staged, () => {
      return inTransaction(basis.database, (inside) => {
        return addJob(basis, inside, made, [{ ...part, inputObject: staged.digest }]);
      });
    });
    return added.job;
  } finally {
    await staged.discard();
  }
}

function digestOf(file: Uint8Array): string {
  return createHash("sha256").update(file).digest("hex");
}
