import { join } from "node:path";
import type { EvaluationKeys } from "../../circuits/backend.ts";
import { expectedLength, type FileStream, fileWriter, type Header, readFileStream } from "../../circuits/wire.ts";
import type { EvaluationKeysRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { tooLarge } from "../../store/mod.ts";
import type { Services } from "../services.ts";
import { AnswerSpool } from "./answer_spool.ts";
import type { CompiledModel } from "../models/compiled_model.ts";

/** A chunk is what one call of the back end takes: so many units, or so many bytes in and out, whichever is less. */
const CHUNK_UNITS = 256;
const CHUNK_BYTES = 4 * 1024 * 1024;

/** What a prediction computes with; `keys` belong to `keysRow`. */
export interface PredictionInputs {
  readonly modelId: string;
  readonly model: CompiledModel;
  readonly keysRow?: EvaluationKeysRow;
  readonly keys?: EvaluationKeys;
}

/** A complete answers file. */
export interface Answers {
  readonly spool: AnswerSpool;
  /** Time of the back end, without waiting and without the network. */
  readonly serverMs: number;
}

/**
 * Evaluates an encrypted rows file chunk by chunk as it arrives. The answers are handed out only after the file's digest was
 * found right. Memory: one chunk in and out, and the answers up to the configured size. A client that goes away is noticed by its
 * body ending early; once the whole body lies in the connection's buffers the rest of it may still be evaluated.
 */
export async function predict(
  services: Services,
  inputs: PredictionInputs,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<Answers> {
  const { config, backend } = services;
  const { model } = inputs;
  const chunkUnits = unitsPerChunk(model);
  const rows = await readFileStream(body, {
    kind: "encrypted_rows",
    parameterSet: backend.parameterSet,
    maxBytes: config.maxPredictionBytes,
    chunkRecords: chunkUnits * model.unitRecords,
  });
  const spool = new AnswerSpool(join(config.dataDir, "spool"), config.answerMemoryBytes);
  try {
    checkRows(rows.header, inputs);
    const serverMs = await evaluateFile(services, inputs, rows, spool, signal);
    return { spool, serverMs };
  } catch (error) {
    spool.discard();
    await body.cancel().catch(() => undefined);
    throw error;
  }
}

function unitsPerChunk(model: CompiledModel): number {
  const unitBytes = model.unitRecords * model.recordBytes + model.answerBytes;
  return Math.max(1, Math.min(CHUNK_UNITS, Math.floor(CHUNK_BYTES / unitBytes)));
}

async function evaluateFile(
  services: Services,
  { model, keys }: PredictionInputs,
  rows: FileStream,
  spool: AnswerSpool,
  signal: AbortSignal,
): Promise<number> {
  const header = answersHeader(rows.header, model);
  if (expectedLength(header) > services.config.maxPredictionBytes) throw tooManyRows(services);
  const writer = fileWriter(header);
  await spool.write(writer.header);
  let serverMs = 0;
  for await (const records of rows.records()) {
    const units = records.byteLength / (model.unitRecords * model.recordBytes);
    const answers = await services.predictions.turn(async () => {
      const start = performance.now();
      const result = await model.evaluate(records, units, keys, signal);
      serverMs += performance.now() - start;
      return result;
    }, signal);
    writer.update(answers);
    await spool.write(answers);
  }
  await spool.write(writer.trailer());
  return serverMs;
}

function answersHeader(rows: Header, model: CompiledModel): Header {
  return {
    ...rows,
    kind: "encrypted_answers",
    recordCount: model.unitsOf(rows.rowCount),
    recordBytes: model.answerBytes,
    coefficientBits: model.description.answer_bits,
  };
}

function checkRows(header: Header, { modelId, model, keysRow }: PredictionInputs): void {
  if (header.modelId.toHex() !== modelId) {
    throw new SottoError(
      "wrong_model",
      `the rows were encrypted for the model ${header.modelId.toHex()}: encrypt for this one`,
    );
  }
  if (keysRow !== undefined && header.keyId.toHex() !== keysRow.keyId) {
    const message =
      `the rows were encrypted with the key ${header.keyId.toHex()}, the registered keys are of ${keysRow.keyId}`;
    throw new SottoError("wrong_key", `${message}: name the keys that belong to the rows`);
  }
  const records = model.unitsOf(header.rowCount) * model.unitRecords;
  const expected = { rowCount: Math.max(1, header.rowCount), recordCount: records, recordBytes: model.recordBytes };
  requireEqual(header, { ...expected, coefficientBits: model.description.input_bits });
}

function requireEqual(header: Header, expected: Partial<Record<keyof Header, number>>): void {
  for (const [field, value] of Object.entries(expected)) {
    const found = header[field as keyof Header];
    if (found === value) continue;
    throw new SottoError("malformed_file", `the rows do not fit the model: ${field} is ${found}, must be ${value}`);
  }
}

function tooManyRows({ config }: Services): SottoError {
  const limit = tooLarge(config.maxPredictionBytes).message;
  return new SottoError("body_too_large", `the answers would be too large (${limit}): send fewer rows at a time`);
}
