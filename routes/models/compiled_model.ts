import type { EvaluationKeys, ServerBackend } from "../../circuits/backend.ts";
import type { Description, LinearDescription, TreesDescription } from "../../circuits/description.ts";
import { answerLayout, inputRecordBytes, linearAnswerRecordBytes } from "../../circuits/wire.ts";
import { SottoError } from "../../errors.ts";
import type { PlannedModel } from "./plan_model.ts";

/**
 * A model that is ready to compute. Work comes in units, the smallest piece that has an own answer record: a row of a tree
 * model, an input ciphertext (several rows) of a linear one.
 */
export interface CompiledModel {
  readonly description: Description;
  /** Trees are evaluated under the client's evaluation keys, linear models without any. */
  readonly needsKeys: boolean;
  /** Input records a unit. */
  readonly unitRecords: number;
  /** Bytes of one input record. */
  readonly recordBytes: number;
  /** Bytes of the answer record of a unit. */
  readonly answerBytes: number;
  /** Units of that many rows. */
  unitsOf(rowCount: number): number;
  /** The answer records of whole units. Throws `cancelled` when the signal ends it. */
  evaluate(
    records: Uint8Array,
    units: number,
    keys: EvaluationKeys | undefined,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  close(): void;
}

/** Hands the clear matrix of a model to the back end. */
export function compileModel(planned: PlannedModel, backend: ServerBackend): CompiledModel {
  return planned.mode === "leaves" ? compileTrees(planned, backend) : compileLinear(planned, backend);
}

function compileTrees(planned: PlannedModel & { mode: "leaves" }, backend: ServerBackend): CompiledModel {
  const { description } = planned;
  const matrix = backend.createLeafMatrix(planned.spec);
  const { input_bits: inputBits, answer_bits: answerBits } = description;
  return {
    description,
    needsKeys: true,
    unitRecords: description.ciphertexts_per_row,
    recordBytes: inputRecordBytes(inputBits),
    answerBytes: treesAnswerBytes(description),
    unitsOf: (rowCount) => rowCount,
    evaluate(records, rowCount, keys, signal) {
      if (keys === undefined) throw new SottoError("internal", "trees are evaluated under evaluation keys");
      return backend.evaluateLeaves(matrix, keys, records, { rowCount, inputBits, answerBits }, { signal });
    },
    close: () => matrix.close(),
  };
}

function treesAnswerBytes(description: TreesDescription): number {
  const leaves = description.trees.reduce((sum, tree) => sum + tree.leaf_count, 0);
  return answerLayout({
    outputs: leaves * (1 + description.label_count),
    columnCount: description.column_count,
    bits: description.answer_bits,
  }).recordBytes;
}

function compileLinear(planned: PlannedModel & { mode: "linear" }, backend: ServerBackend): CompiledModel {
  const { description } = planned;
  const matrix = backend.createWeightMatrix(planned.spec);
  const { input_bits: inputBits, answer_bits: answerBits } = description;
  return {
    description,
    needsKeys: false,
    unitRecords: 1,
    recordBytes: inputRecordBytes(inputBits),
    answerBytes: linearAnswerBytes(description),
    unitsOf: (rowCount) => Math.ceil(rowCount / description.rows_per_ciphertext),
    evaluate: (records, ciphertextCount, _keys, signal) =>
      backend.evaluateLinear(matrix, records, { ciphertextCount, inputBits, answerBits }, { signal }),
    close: () => matrix.close(),
  };
}

function linearAnswerBytes(description: LinearDescription): number {
  return linearAnswerRecordBytes({
    scoreCount: description.score_count,
    columnCount: description.column_count,
    bits: description.answer_bits,
  });
}
