import type { CallOptions, Capability, KeyRing, ServerBackend } from "../../circuits/backend.ts";
import type { Description, LinearDescription, TreesDescription } from "../../circuits/description.ts";
import { NetworkRunner } from "../../circuits/network/mod.ts";
import { answerLayout, inputRecordBytes, linearAnswerRecordBytes } from "../../circuits/wire.ts";
import { SottoError } from "../../errors.ts";
import type { PlannedModel } from "./plan_model.ts";

/**
 * A model that is ready to compute. Work comes in units, the smallest piece that has an own answer record: a row of a tree
 * model, an input ciphertext (several rows) of a linear one.
 */
export interface CompiledModel {
  readonly description: Description;
  /** The client's keys that `evaluate` must be given: evaluation keys for trees, none for linear models. */
  readonly needs: readonly Capability[];
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
    keys: KeyRing,
    options: Pick<CallOptions, "signal" | "onProgress">,
  ): Promise<Uint8Array>;
  close(): void;
}

/** Hands the clear matrix or circuit of a model to the back end. */
export function compileModel(planned: PlannedModel, backend: ServerBackend): CompiledModel {
  switch (planned.mode) {
    case "leaves":
      return compileTrees(planned, backend);
    case "linear":
      return compileLinear(planned, backend);
    case "score":
    case "network":
      return compileCircuit(planned, backend);
  }
}

function compileCircuit(
  { description, circuit }: PlannedModel & { mode: "score" | "network" },
  backend: ServerBackend,
): CompiledModel {
  const runner = new NetworkRunner(backend, circuit, description.answer_bits);
  return {
    description,
    needs: description.capabilities,
    unitRecords: description.ciphertexts_per_row,
    recordBytes: inputRecordBytes(description.input_bits),
    answerBytes: description.plan.answer_bytes_per_row,
    unitsOf: (rowCount) => rowCount,
    evaluate: (records, rowCount, keys, options) => runner.run(records, rowCount, keys, options),
    close: () => runner.close(),
  };
}

function compileTrees(planned: PlannedModel & { mode: "leaves" }, backend: ServerBackend): CompiledModel {
  const { description } = planned;
  const matrix = backend.createLeafMatrix(planned.spec);
  const { input_bits: inputBits, answer_bits: answerBits } = description;
  return {
    description,
    needs: ["pack"],
    unitRecords: description.ciphertexts_per_row,
    recordBytes: inputRecordBytes(inputBits),
    answerBytes: treesAnswerBytes(description),
    unitsOf: (rowCount) => rowCount,
    evaluate(records, rowCount, { pack }, options) {
      if (pack === undefined) throw new SottoError("internal", "trees are evaluated under evaluation keys");
      return backend.evaluateLeaves(matrix, pack, records, { rowCount, inputBits, answerBits }, options);
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
    needs: [],
    unitRecords: 1,
    recordBytes: inputRecordBytes(inputBits),
    answerBytes: linearAnswerBytes(description),
    unitsOf: (rowCount) => Math.ceil(rowCount / description.rows_per_ciphertext),
    evaluate: (records, ciphertextCount, _keys, options) =>
      backend.evaluateLinear(matrix, records, { ciphertextCount, inputBits, answerBits }, options),
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
