import assert from "node:assert/strict";
import { parseTrainingSpec, trainClear } from "../circuits/training/mod.ts";
import { hasStalled, measureWeights } from "./training_progress.ts";

const common = {
  features: [{ name: "a", min: -1, max: 1 }],
  batch_size: 4,
  steps: 40,
  learning_rate: { schedule: "constant", rate: 1 },
};
const rows = Array.from({ length: 16 }, (_, i) => [(i - 7.5) / 8]);

Deno.test("before the first step a class costs ln 2 a score, and training lowers it", () => {
  const spec = parseTrainingSpec({ ...common, kind: "logistic", classes: ["no", "yes"] });
  const data = { rows, targets: rows.map(([a]) => Number(a > 0)) };
  const zero = { first: [new Float64Array(2)], second: [] };
  assert.ok(Math.abs(measureWeights(spec, zero, 0, data).loss - Math.LN2) < 1e-12);
  const point = measureWeights(spec, trainClear(spec, data), 40, data);
  assert.ok(point.loss < 0.5 && point.quality === 1 && point.step === 40);
  const far = { first: [Float64Array.of(1e4, 0)], second: [] };
  assert.ok(measureWeights(spec, far, 1, data).loss < 1e-6);
});

Deno.test("a regression costs half the squared error of its scaled target", () => {
  const spec = parseTrainingSpec({ ...common, kind: "linear", target: { name: "t", min: -2, max: 2 } });
  const data = { rows, targets: rows.map(() => 1) };
  const zero = { first: [new Float64Array(2)], second: [] };
  assert.ok(Math.abs(measureWeights(spec, zero, 0, data).loss - 0.125) < 1e-12);
});

Deno.test("a course has stalled when its last losses are not below the best before", () => {
  assert.equal(hasStalled([3, 2, 1], 1), false);
  assert.equal(hasStalled([3, 2, 2], 1), true);
  assert.equal(hasStalled([3, 2, 2.5, 1.9], 2), false);
  assert.equal(hasStalled([3, 2, 2.5, 2.1], 2), true);
  assert.equal(hasStalled([3], 1), false);
});
