/**
 * Predictions on ciphertexts against the libraries that trained the models, case by case.
 *
 *     deno task agreement [--full] [--only TEXT] [--rows COUNT]
 *
 * The committed fixtures, or with --full the whole set that `tools/fixtures/make.py --all` writes. Prints a table; the exit code is
 * 1 when a label differs or a score is further than 1e-4 from the library's.
 */
import Table from "cli-table3";
import { parseArgs } from "node:util";
import type { Backend } from "../circuits/backend.ts";
import { type Description, planLinear, planTrees } from "../circuits/mod.ts";
import { decodeFile, encodeFile, type Header } from "../circuits/wire.ts";
import { decryptAnswers, encryptRows, newKeys, type OpenSecretKey, openSecretKey } from "../client/mod.ts";
import { openBackend } from "../ffi/mod.ts";
import { importModel } from "../models/mod.ts";
import { type Case, COMMITTED, FULL, readCases, readExpected, readModelBytes, readRows } from "./fixtures/cases.ts";

/** Largest distance of a score from the library's, relative to max(1, |score|). */
export const SCORE_TOLERANCE = 1e-4;

/** Rows encrypted and evaluated at a time. */
const CHUNK = 64;
const MODEL_ID = "00".repeat(32);

export interface Keys {
  readonly secret: OpenSecretKey;
  readonly evaluationPayload: Uint8Array;
}

export async function makeKeys(backend: Backend): Promise<Keys> {
  const made = await newKeys(backend);
  return {
    secret: await openSecretKey(backend, made.secretFile),
    evaluationPayload:
      decodeFile(made.evaluationFile, { kind: "evaluation_keys", parameterSet: backend.parameterSet }).payload,
  };
}

export interface EncryptedAgreement {
  readonly rows: number;
  readonly sameLabels: number;
  readonly deviation: number;
  readonly serverMsPerRow: number;
  readonly description: Description;
}

/** Encrypts, evaluates and decrypts the rows of a case (at most `limit`), all in this process. */
export async function encryptedAgreement(
  backend: Backend,
  keys: Keys,
  folder: URL,
  entry: Case,
  limit = Infinity,
): Promise<EncryptedAgreement> {
  const model = importModel(entry.format, readModelBytes(folder, entry), { bins: { kind: "model" } });
  const costs = await backend.unitCosts();
  using prepared = await prepare();
  const { description } = prepared;
  const rows = readRows(folder, entry).slice(0, limit);
  const expected = readExpected(folder, entry);
  let [sameLabels, deviation, serverMs] = [0, 0, 0];
  for (let first = 0; first < rows.length; first += CHUNK) {
    const part = rows.slice(first, first + CHUNK);
    const target = { id: MODEL_ID, description };
    const { file, scales } = await encryptRows(backend, keys.secret, target, part);
    const { header, payload } = decodeFile(file, { kind: "encrypted_rows", parameterSet: backend.parameterSet });
    const started = performance.now();
    const answers = await prepared.evaluate(payload, header.recordCount, part.length);
    serverMs += performance.now() - started;
    const predictions = await decryptAnswers(backend, keys.secret, target, answersFile(header, answers, description), {
      scales,
    });
    predictions.forEach(({ label, scores }, index) => {
      const wanted = expected[first + index];
      if ((label === null ? null : String(label)) === wanted.label) sameLabels++;
      wanted.scores.forEach((score, at) => {
        deviation = Math.max(deviation, Math.abs(scores[at] - score) / Math.max(1, Math.abs(score)));
      });
    });
  }
  return { rows: rows.length, sameLabels, deviation, serverMsPerRow: serverMs / rows.length, description };

  async function prepare() {
    if (model.kind === "linear") {
      const { description, spec } = planLinear(model, costs);
      const matrix = backend.createWeightMatrix(spec);
      const bits = { inputBits: description.input_bits, answerBits: description.answer_bits };
      return {
        description,
        evaluate: (payload: Uint8Array, ciphertextCount: number) =>
          backend.evaluateLinear(matrix, payload, { ciphertextCount, ...bits }),
        [Symbol.dispose]: () => matrix.close(),
      };
    }
    const { description, spec } = planTrees(model, costs);
    const matrix = backend.createLeafMatrix(spec);
    const evaluationKeys = await backend.loadEvaluationKeys(keys.evaluationPayload);
    const bits = { inputBits: description.input_bits, answerBits: description.answer_bits };
    return {
      description,
      evaluate: (payload: Uint8Array, _records: number, rowCount: number) =>
        backend.evaluateLeaves(matrix, evaluationKeys, payload, { rowCount, ...bits }),
      [Symbol.dispose]: () => (matrix.close(), evaluationKeys.close()),
    };
  }
}

function answersFile(rows: Header, answers: Uint8Array, description: Description): Uint8Array {
  const recordCount = description.mode === "linear" ? rows.recordCount : rows.rowCount;
  return encodeFile({
    ...rows,
    kind: "encrypted_answers",
    recordCount,
    recordBytes: answers.length / recordCount,
    coefficientBits: description.answer_bits,
  }, answers);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: { full: { type: "boolean" }, only: { type: "string" }, rows: { type: "string" } },
  });
  const folder = values.full ? FULL : COMMITTED;
  const backend = openBackend();
  const keys = await makeKeys(backend);
  const table = new Table({
    head: ["case", "rows", "same labels", "largest deviation", "server ms/row", "planned ms/row (1 thread)"],
    style: { head: [], border: [], compact: true },
  });
  let wrong = 0;
  for (const entry of readCases(folder).filter(({ name }) => name.includes(values.only ?? ""))) {
    const result = await encryptedAgreement(backend, keys, folder, entry, values.rows ? Number(values.rows) : Infinity);
    if (result.sameLabels < result.rows || result.deviation > SCORE_TOLERANCE) wrong++;
    const planned = result.description.plan.server_ms_per_row;
    console.error(
      `${entry.name}: ${result.sameLabels} of ${result.rows} labels, deviation ${result.deviation.toExponential(1)}`,
    );
    table.push([
      entry.name,
      result.rows,
      result.sameLabels,
      result.deviation.toExponential(1),
      result.serverMsPerRow.toFixed(3),
      planned.toFixed(3),
    ]);
  }
  console.log(table.toString());
  console.log(wrong ? `${wrong} cases disagree` : "all cases agree");
  return wrong ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
