import { expectedLength, type FileStream, type Header, readFileStream } from "../../circuits/wire.ts";
import { SottoError } from "../../errors.ts";
import { tooLarge } from "../../store/mod.ts";
import type { CompiledModel } from "./compiled_model.ts";
import type { Computing } from "./computing.ts";
import { unitsPerChunk } from "./chunks.ts";

/** What rows must belong to. */
export interface RowsOwner {
  readonly modelId: string;
  readonly model: CompiledModel;
  /** The key pair of the registered keys, when the model needs any. */
  readonly keyId?: string;
}

/**
 * Reads the header of an encrypted rows file and checks it against the model and the keys, before any row is read.
 * Throws `wrong_model`, `wrong_key`, `malformed_file`, `body_too_large`, and what reading a header throws.
 */
export async function openRows(
  { config, backend }: Pick<Computing, "config" | "backend">,
  owner: RowsOwner,
  body: ReadableStream<Uint8Array>,
): Promise<FileStream> {
  const { model } = owner;
  const rows = await readFileStream(body, {
    kind: "encrypted_rows",
    parameterSet: backend.parameterSet,
    maxBytes: config.maxPredictionBytes,
    chunkRecords: unitsPerChunk(model, backend.threads) * model.unitRecords,
  });
  try {
    checkRows(rows.header, owner);
    requireAnswersFit(answersHeader(rows.header, model), config.maxPredictionBytes);
    return rows;
  } catch (error) {
    await rows.cancel();
    throw error;
  }
}

/** The header of the answers to some rows. */
export function answersHeader(rows: Header, model: CompiledModel): Header {
  return {
    ...rows,
    kind: "encrypted_answers",
    recordCount: model.unitsOf(rows.rowCount),
    recordBytes: model.answerBytes,
    coefficientBits: model.description.answer_bits,
  };
}

function checkRows(header: Header, { modelId, model, keyId }: RowsOwner): void {
  if (header.modelId.toHex() !== modelId) {
    throw new SottoError(
      "wrong_model",
      `the rows were encrypted for the model ${header.modelId.toHex()}: encrypt for this one`,
    );
  }
  if (keyId !== undefined && header.keyId.toHex() !== keyId) {
    const message = `the rows were encrypted with the key ${header.keyId.toHex()}, the registered keys are of ${keyId}`;
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

function requireAnswersFit(header: Header, maxBytes: number): void {
  if (expectedLength(header) <= maxBytes) return;
  const limit = tooLarge(maxBytes).message;
  throw new SottoError("body_too_large", `the answers would be too large (${limit}): send fewer rows at a time`);
}
