import assert from "node:assert/strict";
import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { assertClose } from "../assert_close.ts";
import { answerOf, chainOf, counting, integers, type MadeGraph, networkOf, node, tensor } from "../made_graph.ts";

const SIX = [1, 2, 3, 4, 5, 6];
type Steps = Parameters<typeof chainOf>[1];

/** The elements of [1, 2, 3; 4, 5, 6] after the steps. */
function moved(...steps: Steps): readonly number[] {
  const graph = chainOf([0, 2, 3], [...steps, ["Relu"]]);
  assertClose(answerOf(graph, SIX, true), answerOf(graph, SIX));
  return answerOf(graph, SIX);
}

Deno.test("transposes, slices and gathers pick elements", () => {
  assertClose(moved(["Transpose", [], { perm: [0, 2, 1] }]), [1, 4, 2, 5, 3, 6]);
  assertClose(moved(["Transpose"]), [1, 4, 2, 5, 3, 6]);
  assertClose(moved(["Slice", [integers(1), integers(3), integers(2)]]), [2, 3, 5, 6]);
  assertClose(moved(["Slice", [integers(-1), integers(-9), integers(2), integers(-2)]]), [3, 1, 6, 4]);
  assertClose(moved(["Gather", [integers(2, 0)], { axis: 2 }]), [3, 1, 6, 4]);
  assertClose(moved(["Gather", [{ shape: [], values: [-1], type: "int64" }], { axis: 1 }]), [4, 5, 6]);
  assertClose(moved(["Expand", [integers(1, 2, 3)]]), SIX);
});

Deno.test("reshapes, squeezes and flattenings move nothing and make no layer", () => {
  const steps: Steps = [
    ["Reshape", [integers(0, -1)]],
    ["Unsqueeze", [integers(2)]],
    ["Squeeze", [integers(2)]],
    ["Identity"],
    ["Dropout"],
    ["Flatten"],
    ["MatMul", [counting([6, 2])]],
  ];
  const graph = chainOf([0, 2, 3], steps);
  assert.deepEqual(networkOf(graph).layers.map((layer) => layer.kind), ["dense"]);
  assertClose(answerOf(graph, [1, 0, 0, 0, 0, 0]), [1, 2]);
});

Deno.test("a transpose before a dense layer reorders its columns", () => {
  const graph = chainOf([0, 2, 3], [["Transpose", [], { perm: [0, 2, 1] }], ["Flatten"], ["MatMul", [
    counting([6, 1]),
  ]]]);
  assert.deepEqual(networkOf(graph, true).layers.map((layer) => layer.kind), ["dense"]);
  assertClose(answerOf(graph, [0, 1, 0, 0, 0, 0], true), [3]);
});

Deno.test("inputs with channels last keep the file's order of features", () => {
  const steps: Steps = [
    ["Transpose", [], { perm: [0, 3, 1, 2] }],
    ["Conv", [tensor([1, 2, 1, 1], [1, 10])]],
    ["Transpose", [], { perm: [0, 2, 3, 1] }],
    ["Flatten"],
  ];
  assertClose(answerOf(chainOf([0, 1, 2, 2], steps), [1, 2, 3, 4]), [21, 43]);
  const single = networkOf(chainOf([0, 2, 2, 1], [
    ["Transpose", [], { perm: [0, 3, 1, 2] }],
    ["Conv", [tensor([1, 1, 2, 2], [1, 1, 1, 1])]],
    ["Flatten"],
  ]));
  assert.deepEqual(single.layers.map((layer) => layer.kind), ["convolution"]);
  assert.deepEqual(single.inputShape, [1, 2, 2]);
});

Deno.test("Concat joins tensors along any axis, and Split cuts them", () => {
  const graph = (axis: number): MadeGraph => ({
    input: [0, 2, 2],
    nodes: [
      node("Relu", "x", "a"),
      node("Neg", "x", "b"),
      node("Concat", "a b", "c", { axis }),
      node("Flatten", "c", "y"),
    ],
    outputs: ["y"],
  });
  assertClose(answerOf(graph(1), [1, 2, 3, 4]), [1, 2, 3, 4, -1, -2, -3, -4]);
  assertClose(answerOf(graph(-1), [1, 2, 3, 4]), [1, 2, -1, -2, 3, 4, -3, -4]);
  const cut: MadeGraph = {
    input: [0, 4],
    nodes: [node("Split", "x s", "a b", { axis: 1 }), node("Relu", "b", "y")],
    constants: { s: integers(1, 3) },
    outputs: ["y"],
  };
  assertClose(answerOf(cut, [9, 1, 2, 3]), [1, 2, 3]);
});

Deno.test("shapes that are computed in the graph are numbers", () => {
  const graph: MadeGraph = {
    input: [0, 2, 3],
    nodes: [
      node("Shape", "x", "s"),
      node("Gather", "s zero", "g", { axis: 0 }),
      node("Unsqueeze", "g axes", "u"),
      node("Concat", "u rest", "shape", { axis: 0 }),
      node("Cast", "shape", "cast", { to: 7 }),
      node("Reshape", "x cast", "flat"),
      node("MatMul", "flat w", "y"),
    ],
    constants: {
      zero: { shape: [], values: [0], type: "int64" },
      axes: integers(0),
      rest: integers(-1),
      w: counting([6, 1]),
    },
    outputs: ["y"],
  };
  assertClose(answerOf(graph, [0, 0, 1, 0, 0, 1]), [9]);
  const made: MadeGraph = {
    input: [0, 3],
    nodes: [
      node("Constant", "", "n", { value_ints: [3] }),
      node("ConstantOfShape", "n", "ones", { value: { tensor: tensor([1], [2]) } }),
      node("Range", "a b c", "range"),
      node("Mul", "x ones", "m"),
      node("Add", "m range", "y"),
    ],
    constants: { a: tensor([], [0]), b: tensor([], [3]), c: tensor([], [1]) },
    outputs: ["y"],
  };
  assertClose(answerOf(made, [1, 1, 1]), [2, 3, 4]);
});

Deno.test("axes, places and shapes that are not there are refused", () => {
  const refuses = (message: string, ...steps: Steps) =>
    assertRefused("model_refused", message, () => networkOf(chainOf([0, 2, 3], [...steps, ["Relu"]])));
  refuses("axis 3", ["Gather", [integers(0)], { axis: 3 }]);
  refuses("place 5", ["Gather", [integers(5)], { axis: 2 }]);
  refuses("[4] of a tensor of shape [1, 2, 3]", ["Reshape", [integers(4)]]);
  refuses("[0, -1, -1]", ["Reshape", [integers(0, -1, -1)]]);
  refuses("transposes the axes", ["Transpose", [], { perm: [0, 1, 1] }]);
  refuses("from 1 to", ["Slice", [integers(1), integers(1), integers(2)]]);
  refuses("elements", ["Expand", [integers(1 << 20, 2, 3)]]);
  refuses("with a constant", ["Concat", [tensor([1, 2, 3], SIX)], { axis: 1 }]);
  refuses("rounds a tensor", ["Cast", [], { to: 7 }]);
});
