import assert from "node:assert/strict";
import fc from "fast-check";
import type { LinearDescription, TreesDescription } from "../circuits/description.ts";
import { planLinear } from "../circuits/linear.ts";
import { plainBackend } from "../circuits/plain.ts";
import { planTrees } from "../circuits/trees.ts";
import { decodeFile, encodeFile } from "../circuits/wire.ts";
import { linearLayout } from "../circuits/linear_rows.ts";
import { treesAnswerLayout } from "../circuits/trees_rows.ts";
import { SottoError } from "../errors.ts";
import { evaluate, predict } from "../models/evaluate.ts";
import type { ForestModel, LinearModel } from "../models/types.ts";
import { decryptAnswers } from "./decrypt.ts";
import { encryptRows } from "./encrypt.ts";
import { newKeys, openSecretKey } from "./keys.ts";
import { rowsPerRequest } from "./predict.ts";
import { decodeScales, encodeScales } from "./scales.ts";

const MODEL_ID = "ab".repeat(32);
const source = { format: "xgboost", version: "test", objective: "test" } as const;

const forest: ForestModel = {
  kind: "forest",
  source,
  features: [{ name: "a", cast: "float32", missing: "nan" }, { name: "b", cast: "float32", missing: "nan" }],
  trees: [
    {
      outputs: [0],
      nodes: [
        { kind: "split", feature: 0, threshold: 0.5, left: 1, right: 2, missing: "right" },
        { kind: "leaf", values: [-1.25] },
        { kind: "split", feature: 1, threshold: -2, left: 3, right: 4, missing: "left" },
        { kind: "leaf", values: [0.5] },
        { kind: "leaf", values: [2] },
      ],
    },
    {
      outputs: [0],
      nodes: [
        { kind: "split", feature: 1, threshold: 3, left: 1, right: 2, missing: "left" },
        { kind: "leaf", values: [0.125] },
        { kind: "leaf", values: [-0.75] },
      ],
    },
  ],
  output: { task: "binary", transform: "logistic", base: [0.1], labels: ["no", "yes"], threshold: 0.5 },
};

const linear: LinearModel = {
  kind: "linear",
  source: { ...source, format: "onnx" },
  features: [{ name: "a", cast: "float64", missing: "refused" }, { name: "b", cast: "float64", missing: "refused" }],
  weights: [[1.5, -0.25], [0.001, 3]],
  bias: [0.5, -7],
  output: { task: "multiclass", transform: "softmax", base: [0, 0], labels: [0, 1], threshold: 0 },
};

const backend = plainBackend();
const costs = await backend.unitCosts();
const options = { parameterSet: backend.parameterSet };
const trees = planTrees(forest, costs, options);
const affine = planLinear(linear, costs, options);
const treesTarget = { id: MODEL_ID, description: trees.description };
const linearTarget = { id: MODEL_ID, description: affine.description };

async function open() {
  const keys = await newKeys(backend);
  return { ...keys, secret: await openSecretKey(backend, keys.secretFile) };
}

/** What the server does, without HTTP. */
async function serve(
  description: TreesDescription | LinearDescription,
  file: Uint8Array,
  evaluationFile: Uint8Array,
): Promise<Uint8Array> {
  const { header, payload } = decodeFile(file, { kind: "encrypted_rows" });
  const bits = { inputBits: description.input_bits, answerBits: description.answer_bits };
  const [records, layout] = description.mode === "linear"
    ? [
      await backend.evaluateLinear(backend.createWeightMatrix(affine.spec), payload, {
        ciphertextCount: header.recordCount,
        ...bits,
      }),
      linearLayout(description),
    ]
    : [
      await backend.evaluateLeaves(
        backend.createLeafMatrix(trees.spec),
        await backend.loadEvaluationKeys(decodeFile(evaluationFile).payload),
        payload,
        { rowCount: header.rowCount, ...bits },
      ),
      treesAnswerLayout(description),
    ];
  const recordBytes = layout.recordBytes;
  const answers = { ...header, kind: "encrypted_answers", recordBytes, coefficientBits: bits.answerBits } as const;
  return encodeFile(answers, records);
}

function rejects(call: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof SottoError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("predictions of encrypted rows are those of the clear forest, missing cells included", async () => {
  const { secret, evaluationFile } = await open();
  const cell = fc.oneof(fc.constantFrom(NaN, 0.5, -2, 3), fc.double({ min: -10, max: 10, noNaN: true }));
  const rows = fc.sample(fc.tuple(cell, cell), 150);
  const { file, scales } = await encryptRows(backend, secret, treesTarget, rows);
  assert.equal(scales, null);
  const answers = await serve(trees.description, file, evaluationFile);
  const predictions = await decryptAnswers(backend, secret, treesTarget, answers);
  assert.equal(predictions.length, rows.length);
  for (const [index, row] of rows.entries()) {
    const expected = predict(forest, evaluate(forest, row).margins);
    assert.equal(predictions[index].label, expected.label);
    assert.ok(Math.abs(predictions[index].scores[0] - expected.scores[0]) < 1e-3);
  }
});

Deno.test("predictions of encrypted rows are those of the clear linear model", async () => {
  const { secret, evaluationFile } = await open();
  const value = fc.double({ min: -1000, max: 1000, noNaN: true });
  const rows = fc.sample(fc.tuple(value, value), 1500);
  const { file, scales } = await encryptRows(backend, secret, linearTarget, rows);
  const kept = decodeScales(new TextEncoder().encode(encodeScales(MODEL_ID, scales!)), MODEL_ID);
  const answers = await serve(affine.description, file, evaluationFile);
  const predictions = await decryptAnswers(backend, secret, linearTarget, answers, { scales: kept });
  assert.equal(predictions.length, rows.length);
  for (const [index, row] of rows.entries()) {
    const expected = predict(linear, evaluate(linear, row).margins);
    assert.ok(Math.abs(predictions[index].scores[0] - expected.scores[0]) < 1e-3, `row ${index}`);
  }
});

Deno.test("answers need the scales of their own rows for a linear model", async () => {
  const { secret, evaluationFile } = await open();
  const { file } = await encryptRows(backend, secret, linearTarget, [[1, 2]]);
  const answers = await serve(affine.description, file, evaluationFile);
  await rejects(decryptAnswers(backend, secret, linearTarget, answers), "rows_refused", /need the scales/);
  const scales = [20, 20];
  await rejects(
    decryptAnswers(backend, secret, linearTarget, answers, { scales }),
    "rows_refused",
    /2 scales for 1 rows/,
  );
});

Deno.test("a scales file is checked", () => {
  const bytes = new TextEncoder().encode(encodeScales(MODEL_ID, [1, -2]));
  assert.deepEqual(decodeScales(bytes, MODEL_ID), [1, -2]);
  assert.throws(() => decodeScales(bytes, "cd".repeat(32)), /scales are of model abab/);
  assert.throws(() => decodeScales(new TextEncoder().encode("{}"), MODEL_ID), /not a scales file/);
  assert.throws(() => decodeScales(new TextEncoder().encode("no"), MODEL_ID), /not a scales file/);
});

Deno.test("answers of another key pair, of another model or changed are refused", async () => {
  const [mine, other] = [await open(), await open()];
  const { file } = await encryptRows(backend, mine.secret, treesTarget, [[1, 2], [0, 0]]);
  const answers = await serve(trees.description, file, mine.evaluationFile);
  await rejects(decryptAnswers(backend, other.secret, treesTarget, answers), "wrong_key", /belong to key pair/);
  const elsewhere = { ...treesTarget, id: "cd".repeat(32) };
  await rejects(decryptAnswers(backend, mine.secret, elsewhere, answers), "wrong_model", /of model abab.*not of cdcd/);
  await rejects(decryptAnswers(backend, mine.secret, treesTarget, file), "wrong_file_kind", /encrypted rows/);
  await rejects(decryptAnswers(backend, mine.secret, treesTarget, answers.slice(0, -40)), "malformed_file", /bytes/);
  answers[1000] ^= 4;
  await rejects(decryptAnswers(backend, mine.secret, treesTarget, answers), "digest_mismatch", /changed or damaged/);
});

Deno.test("answers whose records do not fit the model are refused", async () => {
  const { secret, evaluationFile } = await open();
  const { file } = await encryptRows(backend, secret, treesTarget, [[1, 2]]);
  const { header, payload } = decodeFile(await serve(trees.description, file, evaluationFile));
  const doubled = encodeFile({ ...header, rowCount: 2 }, payload);
  await rejects(decryptAnswers(backend, secret, treesTarget, doubled), "malformed_file", /shape of this model/);
});

Deno.test("no rows, rows of another width and models of other parameters are refused", async () => {
  const { secret } = await open();
  await rejects(encryptRows(backend, secret, treesTarget, []), "rows_refused", /no rows/);
  await rejects(encryptRows(backend, secret, treesTarget, [[1]]), "rows_refused", /row 1 has 1 values/);
  await rejects(encryptRows(backend, secret, linearTarget, [[1, NaN]]), "rows_refused", /takes no missing values/);
  const description = { ...trees.description, parameter_set: "ring-9" };
  await rejects(encryptRows(backend, secret, { id: MODEL_ID, description }, [[1, 2]]), "wrong_parameter_set", /ring-9/);
  await rejects(encryptRows(backend, secret, { ...treesTarget, id: "x" }, [[1, 2]]), "model_unknown", /64 hex/);
});

Deno.test("progress is told, and a cancelled call stops", async () => {
  const { secret } = await open();
  const rows = Array.from({ length: 130 }, () => [1, 2]);
  const shares: number[] = [];
  await encryptRows(backend, secret, treesTarget, rows, { onProgress: (share) => shares.push(share) });
  assert.deepEqual(shares, [64 / 130, 128 / 130, 1]);
  const signal = AbortSignal.abort();
  await rejects(encryptRows(backend, secret, treesTarget, rows, { signal }), "cancelled", /cancelled/);
});

Deno.test("a request is as many rows as take ten seconds or sixteen megabytes, in whole ciphertexts", () => {
  const planned = (server_ms_per_row: number, upload_bytes_per_row: number) => ({
    ...trees.description,
    plan: { ...trees.description.plan, server_ms_per_row, upload_bytes_per_row },
  });
  assert.equal(rowsPerRequest(planned(1, 1)), 4096);
  assert.equal(rowsPerRequest(planned(100, 10_000)), 100);
  assert.equal(rowsPerRequest(planned(60_000, 10_000)), 1);
  assert.equal(rowsPerRequest(planned(0.1, 65_536)), 256);
  const perCiphertext = affine.description.rows_per_ciphertext;
  assert.equal(rowsPerRequest(affine.description) % perCiphertext, 0);
});
