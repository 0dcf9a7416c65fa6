import assert from "node:assert/strict";
import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { assertClose } from "../assert_close.ts";
import { answerOf, chainOf, counting, networkOf, tensor } from "../made_graph.ts";

const WEIGHTS = tensor([2, 3], [1, 2, 3, 4, 5, 6]);

Deno.test("Gemm takes alpha, beta and either orientation of its weights", () => {
  const bias = tensor([2], [10, 20]);
  const turned = chainOf([0, 3], [["Gemm", [WEIGHTS, bias], { transB: 1 }]]);
  assertClose(answerOf(turned, [1, 0, -1]), [1 - 3 + 10, 4 - 6 + 20]);
  const scaled = chainOf([0, 3], [[
    "Gemm",
    [tensor([3, 2], [1, 4, 2, 5, 3, 6]), bias],
    { alpha: { float: 2 }, beta: { float: 0.5 } },
  ]]);
  assertClose(answerOf(scaled, [1, 0, -1]), [-4 + 5, -4 + 10]);
  const bare = chainOf([1, 3], [["Gemm", [WEIGHTS], { transB: 1 }]]);
  assertClose(answerOf(bare, [1, 1, 1]), [6, 15]);
  const one = chainOf([1, 3], [["Gemm", [WEIGHTS, tensor([1], [7])], { transB: 1 }]]);
  assertClose(answerOf(one, [0, 0, 0]), [7, 7]);
});

Deno.test("MatMul with a bias after it is one dense layer", () => {
  const graph = chainOf([0, 2], [["MatMul", [WEIGHTS]], ["Add", [tensor([3], [1, 1, 1])]]]);
  assertClose(answerOf(graph, [1, -1]), [-2, -2, -2]);
  assert.deepEqual(networkOf(graph, true).layers.map((layer) => layer.kind), ["dense"]);
});

Deno.test("MatMul of several places is the same matrix at each", () => {
  const graph = chainOf([0, 2, 2], [["MatMul", [WEIGHTS]], ["Flatten"]]);
  assertClose(answerOf(graph, [1, 0, 0, 1]), [1, 2, 3, 4, 5, 6]);
  assertClose(answerOf(graph, [1, 0, 0, 1], true), [1, 2, 3, 4, 5, 6]);
});

Deno.test("two dense layers without an activation become one where that is smaller", () => {
  const narrow = chainOf([0, 4], [["MatMul", [counting([4, 8])]], ["MatMul", [counting([8, 2])]]]);
  assert.equal(networkOf(narrow, true).layers.length, 1);
  assertClose(answerOf(narrow, [1, 2, -3, 1], true), answerOf(narrow, [1, 2, -3, 1]));
  const bottleneck = chainOf([0, 8], [["MatMul", [counting([8, 1])]], ["MatMul", [counting([1, 8])]]]);
  assert.equal(networkOf(bottleneck, true).layers.length, 2);
});

Deno.test("batch normalisation scales and shifts each channel", () => {
  const normed = ["BatchNormalization", [
    tensor([2], [2, 3]),
    tensor([2], [1, -1]),
    tensor([2], [0.5, 1]),
    tensor([2], [3, 8]),
  ], { epsilon: { float: 1 } }] as const;
  const graph = chainOf([0, 2, 1, 2], [normed, ["Flatten"]]);
  assertClose(answerOf(graph, [0.5, 1.5, 1, 4]), [1, 2, -1, 2]);
  const dense = chainOf([0, 2], [["MatMul", [tensor([2, 2], [1, 0, 0, 1])]], normed]);
  assert.deepEqual(networkOf(dense, true).layers.map((layer) => layer.kind), ["dense"]);
  assertClose(answerOf(dense, [1.5, 4], true), [2, 2]);
});

Deno.test("a Scaler subtracts before it multiplies, with one number or one a feature", () => {
  const scaler = ["Scaler", [], { offset: { floats: [1, 2] }, scale: { floats: [2] } }] as const;
  assertClose(answerOf(chainOf([0, 2], [scaler]), [3, 3]), [4, 2]);
});

Deno.test("products that are not of a row by constant weights are refused", () => {
  const refuses = (message: string, graph: Parameters<typeof networkOf>[0]) =>
    assertRefused("model_refused", message, () => networkOf(graph));
  refuses("inputs, and its input has 4", chainOf([0, 4], [["MatMul", [WEIGHTS]]]));
  refuses(
    "more than one row",
    chainOf([0, 2, 3], [["Reshape", [{ shape: [2], values: [2, 3], type: "int64" }]], [
      "Gemm",
      [WEIGHTS],
      { transB: 1 },
    ]]),
  );
  refuses("biases for 2 outputs", chainOf([0, 3], [["Gemm", [WEIGHTS, tensor([3], [1, 2, 3])], { transB: 1 }]]));
  const attention = {
    input: [1, 2, 2],
    nodes: [{ op: "MatMul", inputs: ["x", "x"], outputs: ["y"] }],
    outputs: ["y"],
  };
  refuses("attention", attention);
  refuses("not finite", chainOf([0, 2], [["MatMul", [tensor([2, 1], [NaN, 1])]]]));
  refuses(
    "training mode",
    chainOf([0, 2], [[
      "BatchNormalization",
      [1, 2, 3, 4].map(() => tensor([2], [1, 1])),
      { training_mode: 1 },
    ]]),
  );
});
