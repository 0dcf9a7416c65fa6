import type { CompiledModel } from "./compiled_model.ts";

/**
 * A chunk is what one call of the back end takes: so many units, so many bytes in and out, or so much time by the plan, whichever
 * is less. Other predictions get their turn after it.
 */
const CHUNK_UNITS = 256;
const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNK_SECONDS = 10;

/** Seconds of the back end for that many rows, by the plan of the model. */
export function plannedSeconds({ description }: Pick<CompiledModel, "description">, rows: number, threads: number) {
  return description.plan.server_ms_per_row * rows / 1000 / threads;
}

/** Units of one chunk: at least one. */
export function unitsPerChunk(model: CompiledModel, threads: number): number {
  const { description } = model;
  const unitRows = description.mode === "linear" ? description.rows_per_ciphertext : 1;
  const unitBytes = model.unitRecords * model.recordBytes + model.answerBytes;
  const most = [CHUNK_UNITS, CHUNK_BYTES / unitBytes, CHUNK_SECONDS / plannedSeconds(model, unitRows, threads)];
  return Math.max(1, Math.floor(Math.min(...most)));
}
