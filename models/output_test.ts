import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { finish } from "./output.ts";
import type { Output } from "./types.ts";

const binary: Output = { task: "binary", transform: "logistic", base: [1], labels: ["no", "yes"], threshold: 0.5 };
const multiclass: Output = {
  task: "multiclass",
  transform: "softmax",
  base: [0, 0, 0],
  labels: [7, 8, 9],
  threshold: 0,
};
const regression: Output = { task: "regression", transform: "identity", base: [2], labels: [], threshold: 0 };

Deno.test("a binary output adds its base, and the positive label wins above the threshold only", () => {
  assert.deepEqual(finish(binary, [-1]), { label: "no", scores: [0.5] });
  assert.equal(finish(binary, [-0.999]).label, "yes");
  assert.deepEqual(finish(binary, [-10000]), { label: "no", scores: [0] });
});

Deno.test("the largest of several scores wins, the first on ties", () => {
  assert.equal(finish(multiclass, [1, 3, 3]).label, 8);
  const { scores } = finish(multiclass, [1000, 1000, -1000]);
  assert.deepEqual(scores, [0.5, 0.5, 0]);
});

Deno.test("one-vs-rest probabilities are divided by their sum, also when all vanish", () => {
  const output: Output = { ...multiclass, transform: "one_vs_rest_logistic" };
  assert.deepEqual(finish(output, [0, 0, -1e4]).scores, [0.5, 0.5, 0]);
  assert.deepEqual(finish(output, [-1e4, -1e4, -1e4]).scores, [1 / 3, 1 / 3, 1 / 3]);
});

Deno.test("a regression has a value and no label", () => {
  assert.deepEqual(finish(regression, new Float64Array([3])), { label: null, scores: [5] });
  assert.deepEqual(finish({ ...regression, transform: "exp" }, [-2]).scores, [1]);
});

Deno.test("a wrong number of scores is refused", () => {
  assertRefused("internal", "1 scores, not 2", () => finish(binary, [1, 2]));
});
