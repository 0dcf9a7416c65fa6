import assert from "node:assert/strict";
import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { assertClose } from "../assert_close.ts";
import { answerOf, chainOf, type MadeGraph, networkOf, node, tensor } from "../made_graph.ts";

Deno.test("constants scale and shift, alone or a number each", () => {
  const steps = (op: string, constant: ReturnType<typeof tensor>) => chainOf([0, 2], [[op, [constant]]]);
  assertClose(answerOf(steps("Add", tensor([], [3])), [1, 2]), [4, 5]);
  assertClose(answerOf(steps("Sub", tensor([2], [1, 2])), [5, 5]), [4, 3]);
  assertClose(answerOf(steps("Mul", tensor([1, 2], [2, -2])), [5, 5]), [10, -10]);
  assertClose(answerOf(steps("Div", tensor([2], [2, 4])), [5, 5]), [2.5, 1.25]);
  assertClose(answerOf(chainOf([0, 2], [["Neg"]]), [1, -2]), [-1, 2]);
});

Deno.test("a constant may come first", () => {
  const graph: MadeGraph = {
    input: [0, 2],
    nodes: [node("Sub", "c x", "y")],
    constants: { c: tensor([2], [1, 10]) },
    outputs: ["y"],
  };
  assertClose(answerOf(graph, [3, 3]), [-2, 7]);
});

Deno.test("one number a channel of an image is a scale layer of channels", () => {
  const graph = chainOf([0, 2, 1, 2], [["Mul", [tensor([2, 1, 1], [2, 3])]], ["Flatten"]]);
  assertClose(answerOf(graph, [1, 2, 3, 4]), [2, 4, 9, 12]);
  const [layer] = networkOf(graph).layers;
  assert.ok(layer.kind === "scale" && layer.scale.length === 2);
});

Deno.test("tensors add and subtract, also when one of them is smaller", () => {
  const nodes = [node("Relu", "x", "a"), node("Sub", "x a", "y")];
  assertClose(answerOf({ input: [0, 2], nodes, outputs: ["y"] }, [1, -2]), [0, -2]);
  const pooled = [node("GlobalAveragePool", "x", "a"), node("Add", "a x", "b"), node("Flatten", "b", "y")];
  assertClose(answerOf({ input: [0, 1, 1, 2], nodes: pooled, outputs: ["y"] }, [1, 3]), [3, 5]);
  const three = [node("Relu", "x", "a"), node("Tanh", "a", "b"), node("Sum", "x a b", "y")];
  assertClose(answerOf({ input: [0, 2], nodes: three, outputs: ["y"] }, [1, 0]), [2 + Math.tanh(1), 0]);
});

Deno.test("tensors in different orders add element by element", () => {
  const nodes = [
    node("Transpose", "x", "a", { perm: [0, 2, 1] }),
    node("Relu", "a", "r"),
    node("Add", "x r", "b"),
    node("Flatten", "b", "y"),
  ];
  assertClose(answerOf({ input: [0, 2, 2], nodes, outputs: ["y"] }, [1, -2, 3, 4], true), [2, 1, 3, 8]);
});

Deno.test("uniform scales around a sum become its factors", () => {
  const graph: MadeGraph = {
    input: [0, 2],
    nodes: [
      node("Relu", "x", "a"),
      node("Tanh", "x", "b"),
      node("Mul", "a two", "c"),
      node("Sub", "c b", "d"),
      node("Mul", "d two", "y"),
    ],
    constants: { two: tensor([], [2]) },
    outputs: ["y"],
  };
  const add = networkOf(graph, true).layers.find((layer) => layer.kind === "add");
  assert.deepEqual(add?.factors, [4, -2]);
  assertClose(answerOf(graph, [1, -1], true), answerOf(graph, [1, -1]));
});

Deno.test("constants are computed when the file is read", () => {
  const graph: MadeGraph = {
    input: [0, 2],
    nodes: [
      node("Add", "a a", "b"),
      node("Div", "b c", "d"),
      node("Greater", "d a", "e"),
      node("Where", "e a d", "f"),
      node("Mul", "x f", "y"),
    ],
    constants: { a: tensor([2], [1, 4]), c: tensor([2], [1, 4]) },
    outputs: ["y"],
  };
  assertClose(answerOf(graph, [10, 10]), [10, 20]);
});

Deno.test("a choice by a constant is the branch that it takes, as wide as both", () => {
  const graph: MadeGraph = {
    input: [0, 1],
    nodes: [node("Cast", "c", "b", { to: 9 }), node("Where", "b x wide", "y")],
    constants: { c: tensor([], [0.5]), wide: tensor([1, 2], [7, 8]) },
    outputs: ["z"],
  };
  const ended = { ...graph, nodes: [...graph.nodes, node("Relu", "y", "z")] };
  assertClose(answerOf(ended, [3]), [3, 3]);
});

Deno.test("products of two tensors and shapes that do not fit are refused", () => {
  const gate = [node("MatMul", "x w", "a"), node("Mul", "x a", "y")];
  const graph: MadeGraph = {
    input: [0, 2],
    nodes: gate,
    constants: { w: tensor([2, 2], [1, 2, 3, 4]) },
    outputs: ["y"],
  };
  assertRefused("model_refused", 'Mul (node "n1") combines two tensors', () => networkOf(graph));
  assertRefused("model_refused", "do not fit", () => networkOf(chainOf([0, 2], [["Add", [tensor([3], [1, 2, 3])]]])));
});
