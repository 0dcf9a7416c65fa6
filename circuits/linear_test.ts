import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../errors.ts";
import { evaluate } from "../models/evaluate.ts";
import type { Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { Backend } from "./backend.ts";
import { linearDescriptionSchema } from "./description.ts";
import { linearErrorExpected, type LinearPlan, planLinear } from "./linear.ts";
import { decodeLinearAnswers, encodeLinearRows, linearLayout } from "./linear_rows.ts";
import { plainBackend } from "./plain.ts";
import { selfCheck } from "./self_check.ts";
import { draws, randomLinear } from "./test_models.ts";

const COSTS = { ntt_ns: 2500, packed_product_ns: 30_000, product_ns: 10_000, expand_ns: 20_000 };
const code = (expected: string) => (error: unknown) => isSottoError(error) && error.code === expected;

const shapes = fc.record({
  seed: fc.nat(),
  features: fc.integer({ min: 1, max: 70 }),
  scores: fc.integer({ min: 1, max: 4 }),
  rows: fc.integer({ min: 1, max: 80 }),
  size: fc.integer({ min: -20, max: 20 }),
}, { noNullPrototype: true });

function randomRows(seed: number, count: number, width: number, size: number): number[][] {
  const draw = draws(seed);
  const cell = () => draw() < 0.1 ? 0 : (draw() - 0.5) * 2 ** Math.floor(size + draw() * 10);
  return Array.from({ length: count }, () => Array.from({ length: width }, cell));
}

async function answer(backend: Backend, { description, spec }: LinearPlan, rows: readonly Row[]) {
  using key = backend.generateSecretKey();
  using matrix = backend.createWeightMatrix(spec);
  const { messages, ciphertextCount, scaleLog2s } = encodeLinearRows(description, rows);
  const bits = description.input_bits;
  const upload = await backend.encrypt(key, messages, { ciphertextCount, stride: CURRENT.ringDegree, scale: 1n, bits });
  const shape = { ciphertextCount, inputBits: bits, answerBits: description.answer_bits };
  const answers = await backend.evaluateLinear(matrix, upload, shape);
  const layout = { ...linearLayout(description), recordCount: ciphertextCount, scale: 1n };
  const values = await backend.decrypt(key, answers, layout);
  return { scores: decodeLinearAnswers(description, values, rows.length, scaleLog2s), scaleLog2s };
}

Deno.test("planned linear models give the scores of direct evaluation through the plain back end", async () => {
  const backend = plainBackend();
  await fc.assert(
    fc.asyncProperty(shapes, async ({ seed, features, scores: scoreCount, rows: count, size }) => {
      const model = randomLinear(seed, features, scoreCount);
      const plan = planLinear(model, COSTS, { parameterSet: backend.parameterSet });
      linearDescriptionSchema.parse(JSON.parse(JSON.stringify(plan.description)));
      const rows = randomRows(seed + 1, count, features, size);
      const { scores, scaleLog2s } = await answer(backend, plan, rows);
      rows.forEach((row, r) => {
        const scale = 2 ** scaleLog2s[Math.floor(r / plan.description.rows_per_ciphertext)];
        const inputSum = 2 ** plan.description.input_sum_bits / scale;
        const tolerance = 8 * linearErrorExpected(plan.description, inputSum, scale);
        evaluate(model, row).margins.forEach((margin, c) => {
          const error = Math.abs(scores[r * scoreCount + c] - margin);
          assert.ok(error <= tolerance, `score ${margin} is off by ${error}, expected ${tolerance / 8}`);
        });
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("no row can overflow: the sum of products stays within 2^48 and every input within 32 bits", () => {
  fc.assert(
    fc.property(shapes, ({ seed, features, scores, rows: count, size }) => {
      const { description, spec } = planLinear(randomLinear(seed, features, scores), COSTS);
      assert.ok(spec.weights.every((weight) => Math.abs(weight) <= 2 ** description.weight_bits));
      const rows = randomRows(seed + 2, count, features, size * 10);
      const { messages } = encodeLinearRows(description, rows);
      const stride = CURRENT.ringDegree / description.rows_per_ciphertext;
      for (let at = 0; at < messages.length; at += stride) {
        const sum = messages.subarray(at, at + stride).reduce((sum, message) => sum + Math.abs(message), 0);
        assert.ok(sum <= 2 ** description.input_sum_bits);
        assert.ok(sum * 2 ** description.weight_bits <= 2 ** 48);
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("the client's scale is the largest power of two that no row overflows", () => {
  const { description } = planLinear(randomLinear(5, 6, 1), COSTS);
  const rows = randomRows(6, 300, 6, 3);
  const { scaleLog2s } = encodeLinearRows(description, rows);
  assert.equal(scaleLog2s.length, 2);
  const sum = (row: number[], scaleLog2: number) =>
    [...row.map((x, f) => x * 2 ** description.features[f].exponent), 2 ** description.bias_exponent]
      .reduce((sum, y) => sum + Math.abs(Math.round(y * 2 ** scaleLog2)), 0);
  const first = rows.slice(0, description.rows_per_ciphertext);
  assert.ok(first.every((row) => sum(row, scaleLog2s[0]) <= 2 ** description.input_sum_bits));
  assert.ok(first.some((row) => sum(row, scaleLog2s[0] + 1) > 2 ** description.input_sum_bits));
});

Deno.test("thirty features and one score keep more than six digits", () => {
  const { description } = planLinear(randomLinear(11, 30, 1), COSTS);
  assert.ok(linearErrorExpected(description, 1, 2 ** description.input_sum_bits) < 2 ** -21);
  assert.equal(description.input_sum_bits + description.weight_bits, 48);
  assert.ok(description.plan.failure_log2 < -1e6 && Number.isFinite(description.plan.failure_log2));
});

Deno.test("columns without weight, rows of zeros and weights of any size are handled", async () => {
  const backend = plainBackend();
  const model = { ...randomLinear(1, 3, 1), weights: [[0, 1e-300, -3]], bias: [0] };
  const plan = planLinear(model, COSTS);
  const rows = [[1e300, 0, 0], [0, 0, 0], [5, 1e300, 2]];
  const { scores } = await answer(backend, plan, rows);
  assert.ok(Math.abs(scores[0]) < 1e-6 && Math.abs(scores[1]) < 1e-6);
  assert.ok(Math.abs(scores[2] + 5) < 1e-5);
  const zeros = await answer(backend, planLinear({ ...model, weights: [[0, 0, 0]] }, COSTS), rows);
  assert.deepEqual([...zeros.scores], [0, 0, 0]);
});

Deno.test("too many features, undefined weights, missing and huge values are refused", () => {
  assert.throws(() => planLinear(randomLinear(1, 2048, 1), COSTS), code("model_refused"));
  assert.equal(planLinear(randomLinear(1, 2047, 1), COSTS).description.rows_per_ciphertext, 1);
  assert.throws(() => planLinear({ ...randomLinear(1, 1, 1), bias: [NaN] }, COSTS), code("model_refused"));
  const { description } = planLinear({ ...randomLinear(1, 1, 1), weights: [[1e10]] }, COSTS);
  assert.throws(() => encodeLinearRows(description, [[NaN]]), code("rows_refused"));
  assert.throws(() => encodeLinearRows(description, [[1e305]]), code("rows_refused"));
  assert.throws(() => encodeLinearRows(description, [[1, 2]]), code("rows_refused"));
});

Deno.test("answers of another key and scales of other rows are told from right ones", () => {
  const { description } = planLinear(randomLinear(1, 3, 1), COSTS);
  const values = new Float64Array(description.rows_per_ciphertext).fill(2 ** 48.9);
  assert.throws(() => decodeLinearAnswers(description, values, 1, [0]), code("wrong_key"));
  assert.throws(() => decodeLinearAnswers(description, values.fill(1), 1, [0, 0]), code("rows_refused"));
});

Deno.test("the self-check passes a right linear circuit and refuses a wrong one", () => {
  const model = randomLinear(9, 12, 3);
  const { description, spec } = planLinear(model, COSTS);
  selfCheck(model, description, spec);
  const wrong = { ...spec, weights: spec.weights.map((weight, i) => i === 0 ? weight + 2 ** 18 : weight) };
  assert.throws(() => selfCheck(model, description, wrong), code("model_refused"));
});
