/** One model on one back end, as the server holds it: planned, compiled, ready to evaluate encrypted rows. */
import {
  type Backend,
  decodeFile,
  encodeFile,
  type EvaluationKeys,
  type Header,
  type LinearDescription,
  linearLayout,
  planLinear,
  planTrees,
  treesAnswerLayout,
  type TreesDescription,
} from "../circuits/mod.ts";
import { decryptAnswers, type EncryptedRows, encryptRows, type NewKeys, openSecretKey } from "../client/mod.ts";
import { evaluate, type Model, predict, type Row } from "../models/mod.ts";

/** The id that measured files carry: nothing looks it up. */
const MODEL_ID = "00".repeat(32);

/** Of the models that are compiled here: networks have `measure_network.ts`. */
export type CompiledDescription = LinearDescription | TreesDescription;

/** A compiled model. Close it before its back end. */
export interface CompiledModel extends Disposable {
  readonly description: CompiledDescription;
  /** Answer records to the payload of an encrypted rows file of `rowCount` rows. */
  readonly evaluate: (payload: Uint8Array, rowCount: number) => Promise<Uint8Array>;
}

/** Plans and compiles a model, and loads the evaluation keys if it needs them. */
export async function compileModel(backend: Backend, model: Model, keys: NewKeys): Promise<CompiledModel> {
  const [costs, options] = [await backend.unitCosts(), { parameterSet: backend.parameterSet }];
  if (model.kind === "linear") {
    const { description, spec } = planLinear(model, costs, options);
    const matrix = backend.createWeightMatrix(spec);
    const bits = { inputBits: description.input_bits, answerBits: description.answer_bits };
    const count = (rowCount: number) => Math.ceil(rowCount / description.rows_per_ciphertext);
    return {
      description,
      evaluate: (payload, rowCount) =>
        backend.evaluateLinear(matrix, payload, { ciphertextCount: count(rowCount), ...bits }),
      [Symbol.dispose]: () => matrix.close(),
    };
  }
  const { description, spec } = planTrees(model, costs, options);
  const loaded = await loadKeys(backend, keys);
  const matrix = backend.createLeafMatrix(spec);
  const bits = { inputBits: description.input_bits, answerBits: description.answer_bits };
  return {
    description,
    evaluate: (payload, rowCount) => backend.evaluateLeaves(matrix, loaded, payload, { rowCount, ...bits }),
    [Symbol.dispose]: () => [matrix, loaded].forEach((handle) => handle.close()),
  };
}

function loadKeys(backend: Backend, keys: NewKeys): Promise<EvaluationKeys> {
  return backend.loadEvaluationKeys(decodeFile(keys.evaluationFile).payload);
}

/** Encrypts rows for a compiled model, as a client does. */
export async function encryptFor(
  backend: Backend,
  keys: NewKeys,
  description: CompiledDescription,
  rows: readonly Row[],
): Promise<EncryptedRows> {
  using secret = await openSecretKey(backend, keys.secretFile);
  return await encryptRows(backend, secret, { id: MODEL_ID, description }, rows);
}

/** Decrypts answer records and returns the share of rows that get the label of the model in clear. */
export async function agreementOf(
  backend: Backend,
  keys: NewKeys,
  clear: { model: Model; description: CompiledDescription; rows: readonly Row[] },
  encrypted: EncryptedRows,
  records: Uint8Array,
): Promise<number> {
  const { description, rows, model } = clear;
  using secret = await openSecretKey(backend, keys.secretFile);
  const file = encodeFile(answersHeader(description, decodeFile(encrypted.file).header), records);
  const { scales } = encrypted;
  const predictions = await decryptAnswers(backend, secret, { id: MODEL_ID, description }, file, { scales });
  const same = rows.filter((row, r) => predict(model, evaluate(model, row).margins).label === predictions[r].label);
  return same.length / rows.length;
}

function answersHeader(description: CompiledDescription, header: Header): Header {
  const layout = description.mode === "linear" ? linearLayout(description) : treesAnswerLayout(description);
  return {
    ...header,
    kind: "encrypted_answers",
    recordBytes: layout.recordBytes,
    coefficientBits: description.answer_bits,
  };
}
