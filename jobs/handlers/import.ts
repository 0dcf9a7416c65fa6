/** Imports of models that nobody waits for. */
import { z } from "@hono/zod-openapi";
import type { ImportOptions } from "../../db/mod.ts";
import { readCalibration } from "../../models/calibration.ts";
import type { Attempt } from "../attempt.ts";
import type { Computing } from "../compute/computing.ts";
import { importFile, type ImportRequest } from "../compute/import_model.ts";
import { readPartObject } from "../part_objects.ts";
import type { PartOutcome } from "./handler.ts";

/** What the record of an import holds; its object is the model file, and then the file of its calibration rows. */
export const importTaskSchema = z.object({
  name: z.string(),
  options: z.custom<ImportOptions>((value) => typeof value === "object" && value !== null),
  file_bytes: z.number().int(),
  file_digest: z.string(),
});

/** Imports the model; the result of the job is its id. The same import again is no other model. */
export async function computeImport(computing: Computing, attempt: Attempt): Promise<PartOutcome> {
  const { job, part } = attempt.claim;
  const { name, options, file_bytes } = importTaskSchema.parse(job.task);
  const bytes = await readPartObject(computing.store, part.inputObject);
  const request: ImportRequest = { name, options, file: bytes.subarray(0, file_bytes) };
  const { row } = await importFile(computing, job.tenantId, withCalibration(request, bytes.subarray(file_bytes)));
  return { end: { result: row.id } };
}

function withCalibration(request: ImportRequest, calibrationFile: Uint8Array): ImportRequest {
  if (request.options.calibration === undefined) return request;
  return { ...request, calibration: readCalibration(calibrationFile), calibrationFile };
}
