import assert from "node:assert/strict";
import fc from "fast-check";
import { assertClose } from "./assert_close.ts";
import { evaluateNetwork } from "./evaluate.ts";
import { answerOf, chainOf, integers, type MadeGraph, networkOf, node, tensor } from "./made_graph.ts";

type Step = Parameters<typeof chainOf>[1][number];

/** Small numbers, so that scores stay near one. */
const number = fc.integer({ min: -16, max: 16 }).map((value) => value / 8);
const numbers = (...shape: number[]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return fc.array(number, { minLength: count, maxLength: count }).map((values) => tensor(shape, values));
};
const positive = fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 2, maxLength: 2 })
  .map((values) => tensor([2], values.map((value) => value / 8)));

/** Steps that keep the shape [2, 3, 3]. */
const imageStep: fc.Arbitrary<Step> = fc.oneof(
  numbers(2, 2, 1, 1).map((weights): Step => ["Conv", [weights]]),
  fc.tuple(numbers(2, 1, 3, 3), numbers(2)).map((all): Step => ["Conv", all, { pads: [1, 1, 1, 1], group: 2 }]),
  fc.tuple(numbers(2), numbers(2), numbers(2), positive).map((all): Step => ["BatchNormalization", all]),
  numbers(2, 1, 1).map((shift): Step => ["Add", [shift]]),
  numbers().map((scale): Step => ["Mul", [scale]]),
  numbers(2, 3, 3).map((shift): Step => ["Sub", [shift]]),
  fc.constantFrom<Step>(
    ["Relu"],
    ["Transpose", [], { perm: [0, 1, 3, 2] }],
    ["AveragePool", [], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
  ),
);

/** Steps that keep the shape [18]. */
const flatStep: fc.Arbitrary<Step> = fc.oneof(
  numbers(18, 18).map((weights): Step => ["MatMul", [weights]]),
  numbers(18).map((shift): Step => ["Add", [shift]]),
  numbers(18).map((scale): Step => ["Mul", [scale]]),
  fc.shuffledSubarray(Array.from({ length: 18 }, (_, i) => i), { minLength: 18 })
    .map((order): Step => ["Gather", [integers(...order)], { axis: 1 }]),
  fc.constant<Step>(["Tanh"]),
);

Deno.test("folding keeps the scores of any chain of layers", () => {
  const steps = fc.tuple(
    fc.array(imageStep, { maxLength: 5 }),
    fc.array(flatStep, { maxLength: 4 }),
    numbers(18, 2),
  ).map(([image, flat, weights]): Step[] => [...image, ["Flatten"], ...flat, ["MatMul", [weights]]]);
  const row = fc.array(number, { minLength: 18, maxLength: 18 });
  fc.assert(
    fc.property(steps, row, (steps, row) => {
      const graph = chainOf([0, 2, 3, 3], steps);
      const [whole, folded] = [networkOf(graph), networkOf(graph, true)];
      assert.ok(folded.layers.length <= whole.layers.length);
      const scores = evaluateNetwork(whole, row)[0];
      const size = Math.max(...scores.map(Math.abs), 1);
      assertClose(evaluateNetwork(folded, row)[0].map((x) => x / size), scores.map((x) => x / size), 1e-5);
    }),
    { numRuns: 300 },
  );
});

const IDENTITY = tensor([2, 2], [1, 0, 0, 1]);
const TWO = tensor([2], [2, 3]);

/** A dense layer of the identity, and what reads it. */
function branching(nodes: MadeGraph["nodes"], outputs: readonly string[]): MadeGraph {
  return { input: [0, 2], nodes: [node("MatMul", "x w", "a"), ...nodes], constants: { w: IDENTITY, s: TWO }, outputs };
}

Deno.test("a layer that something else reads keeps its weights", () => {
  const graph = branching([node("Mul", "a s", "b"), node("Relu", "a", "c"), node("Add", "b c", "y")], ["y"]);
  assertClose(answerOf(graph, [1, -1], true), [3, -3]);
  const seen = branching([node("Mul", "a s", "b")], ["a", "b"]);
  assert.deepEqual(evaluateNetwork(networkOf(seen, true), [1, 1]), [[1, 1], [2, 3]]);
});

Deno.test("layers that no output needs are dropped", () => {
  const graph = branching([node("Tanh", "a", "unused"), node("Relu", "a", "y")], ["y"]);
  assert.deepEqual(networkOf(graph, true).layers.map((layer) => layer.name), ["n0", "n2"]);
});

Deno.test("a selection of outputs of a dense layer keeps only their rows", () => {
  const graph = chainOf([0, 2], [["MatMul", [IDENTITY]], ["Gather", [integers(1)], { axis: 1 }], ["Relu"]]);
  const model = networkOf(graph, true);
  assert.deepEqual(model.layers.map((layer) => layer.kind), ["dense", "activation"]);
  assert.deepEqual(model.layers[0].shape, [1]);
  assertClose(answerOf(graph, [5, 7], true), [7]);
});

Deno.test("one number a channel of an image with channels last goes into the convolution", () => {
  const graph = chainOf([0, 2, 2, 2], [
    ["Mul", [tensor([2], [2, 3])]],
    ["Transpose", [], { perm: [0, 3, 1, 2] }],
    ["Conv", [tensor([1, 2, 1, 1], [1, 1])], { pads: [1, 1, 1, 1] }],
    ["Flatten"],
  ]);
  const model = networkOf(graph, true);
  assert.deepEqual(model.layers.map((layer) => layer.kind), ["select", "convolution"]);
  const row = [1, 10, 2, 20, 3, 30, 4, 40];
  assertClose(answerOf(graph, row, true), answerOf(graph, row));
});
