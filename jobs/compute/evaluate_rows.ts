import type { KeyRing } from "../../circuits/backend.ts";
import { type FileStream, fileWriter } from "../../circuits/wire.ts";
import { inSpan } from "../../observation/mod.ts";
import type { Sink } from "./sink.ts";
import type { CompiledModel } from "./compiled_model.ts";
import type { Computing } from "./computing.ts";
import { answersHeader } from "./open_rows.ts";

/** What rows are evaluated with. */
export interface Evaluation {
  /** For whom: a caller who waits, or a part of a job. */
  readonly kind: "request" | "prediction";
  /** Whose turns it takes. */
  readonly tenant: string;
  readonly model: CompiledModel;
  readonly keys: KeyRing;
  readonly signal: AbortSignal;
  /** Told the share done, between 0 and 1. */
  readonly onProgress?: (progress: number) => void;
}

/**
 * Evaluates encrypted rows chunk by chunk as they arrive and writes the answers file; between two chunks others get their turn.
 * Returns the time of the back end in ms, without waiting and without the network. Ends only after the digest of the rows was found
 * right. Memory: one chunk in and out.
 */
export async function evaluateRows(
  computing: Pick<Computing, "predictions" | "metrics">,
  rows: FileStream,
  answers: Sink,
  evaluation: Evaluation,
): Promise<number> {
  const { kind, tenant, model } = evaluation;
  const circuit = model.description.mode;
  const attributes = { "sotto.rows": rows.header.rowCount, "sotto.tenant": tenant };
  return await inSpan(`circuit ${circuit}`, attributes, async () => {
    const serverMs = await evaluateChunks(computing, rows, answers, evaluation);
    computing.metrics.observeWork({ kind, circuit, tenant }, serverMs / 1000);
    computing.metrics.rows.inc({ circuit }, rows.header.rowCount);
    return serverMs;
  });
}

async function evaluateChunks(
  { predictions }: Pick<Computing, "predictions">,
  rows: FileStream,
  answers: Sink,
  { tenant, model, keys, signal, onProgress }: Evaluation,
): Promise<number> {
  const header = answersHeader(rows.header, model);
  const writer = fileWriter(header);
  await answers.write(writer.header);
  let [serverMs, done] = [0, 0];
  for await (const records of rows.records()) {
    const units = records.byteLength / (model.unitRecords * model.recordBytes);
    const chunkProgress = (share: number) => onProgress?.((done + share * units) / header.recordCount);
    const result = await predictions.turn(tenant, async () => {
      const start = performance.now();
      const made = await model.evaluate(records, units, keys, { signal, onProgress: chunkProgress });
      serverMs += performance.now() - start;
      return made;
    }, signal);
    done += units;
    onProgress?.(done / header.recordCount);
    writer.update(result);
    await answers.write(result);
  }
  await answers.write(writer.trailer());
  return serverMs;
}
