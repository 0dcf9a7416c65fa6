import assert from "node:assert/strict";
import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { assertClose } from "../assert_close.ts";
import { answerOf, chainOf, type MadeGraph, networkOf, node, tensor } from "../made_graph.ts";

type Steps = Parameters<typeof chainOf>[1];

/** An activation in the middle, at -2, 0.5 and 8. */
function applied(...steps: Steps): readonly number[] {
  return answerOf(chainOf([0, 3], [...steps, ["Mul", [tensor([], [1])]]]), [-2, 0.5, 8]);
}

Deno.test("activation operators compute what ONNX says", () => {
  assertClose(applied(["Relu"]), [0, 0.5, 8]);
  assertClose(applied(["Tanh"]), [Math.tanh(-2), Math.tanh(0.5), Math.tanh(8)]);
  assertClose(applied(["LeakyRelu", [], { alpha: { float: 0.1 } }]), [-0.2, 0.5, 8]);
  assertClose(applied(["LeakyRelu"]), [-0.02, 0.5, 8]);
  assertClose(applied(["PRelu", [tensor([1], [0.25])]]), [-0.5, 0.5, 8]);
  assertClose(applied(["Elu", [], { alpha: { float: 2 } }]), [2 * (Math.exp(-2) - 1), 0.5, 8]);
  assertClose(applied(["Gelu"]), [-0.0455002639, 0.3457312306, 8]);
  assertClose(applied(["Gelu", [], { approximate: "tanh" }]), [-0.0454023059, 0.3457140233, 8]);
  assertClose(applied(["HardSwish"]), [-1 / 3, 0.5 * 3.5 / 6, 8]);
  assertClose(applied(["HardSigmoid"]), [0.1, 0.6, 1]);
  assertClose(applied(["Softplus"]), [Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(0.5)), Math.log1p(Math.exp(8))]);
  assertClose(applied(["Softsign"]), [-2 / 3, 1 / 3, 8 / 9]);
  assertClose(applied(["Clip", [tensor([], [0]), tensor([], [6])]]), [0, 0.5, 6]);
  assertClose(applied(["Max", [tensor([], [0])]]), [0, 0.5, 8]);
  assertClose(applied(["Min", [tensor([], [1])]]), [-2, 0.5, 1]);
});

Deno.test("Clip reads its bounds from attributes in older files, and is ReLU without an upper bound", () => {
  const older = chainOf(
    [0, 1],
    [["Clip", [], { min: { float: 0 }, max: { float: 6 } }], ["Add", [tensor([], [0.5])]]],
    6,
  );
  assertClose(answerOf(older, [7]), [6.5]);
  const [layer] = networkOf(chainOf([0, 2], [["Clip", [tensor([], [0])]]])).layers;
  assert.ok(layer.kind === "activation" && layer.activation.name === "relu");
});

/** A formula of one variable over several nodes, ending in "y". */
function formula(nodes: MadeGraph["nodes"], constants: Record<string, number>): MadeGraph {
  const made = Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, tensor([], [value])]));
  return { input: [0, 3], nodes, constants: made, outputs: ["y"] };
}

const FORMULAS: Readonly<Record<string, MadeGraph>> = {
  silu: formula([node("Sigmoid", "x", "a"), node("Mul", "x a", "y")], {}),
  gelu: formula(
    [
      node("Div", "x r", "a"),
      node("Erf", "a", "b"),
      node("Add", "b one", "c"),
      node("Mul", "x c", "d"),
      node("Mul", "d half", "y"),
    ],
    { r: Math.SQRT2, one: 1, half: 0.5 },
  ),
  gelu_tanh: formula([
    node("Mul", "x x", "a"),
    node("Mul", "a x", "b"),
    node("Mul", "b k", "c"),
    node("Add", "x c", "d"),
    node("Mul", "d s", "e"),
    node("Tanh", "e", "f"),
    node("Add", "f one", "g"),
    node("Mul", "x half", "h"),
    node("Mul", "h g", "y"),
  ], { k: 0.044715, s: 0.7978846, one: 1, half: 0.5 }),
  hard_swish: formula(
    [node("Add", "x three", "a"), node("Clip", "a zero six", "b"), node("Mul", "x b", "c"), node("Div", "c six", "y")],
    { three: 3, zero: 0, six: 6 },
  ),
  softplus: formula([node("Exp", "x", "a"), node("Add", "a one", "b"), node("Log", "b", "y")], { one: 1 }),
  softsign: formula([node("Abs", "x", "a"), node("Add", "a one", "b"), node("Div", "x b", "y")], { one: 1 }),
  leaky_relu: formula([node("Mul", "x k", "a"), node("Max", "x a", "y")], { k: 0.2 }),
};

Deno.test("activation functions written as formulas become the one layer that they are", () => {
  for (const [name, graph] of Object.entries(FORMULAS)) {
    const kinds = networkOf(graph, true).layers.map((layer) =>
      layer.kind === "activation" ? layer.activation.name : layer.kind
    );
    assert.deepEqual(kinds, [name]);
  }
  assertClose(answerOf(FORMULAS.leaky_relu, [-1, 0, 2], true), [-0.2, 0, 2]);
});

Deno.test("a number a channel that was moved into a formula is taken out again", () => {
  const nodes = [
    node("Sigmoid", "x", "a"),
    node("Mul", "x half", "b"),
    node("Mul", "a scale", "unused"),
    node("Exp", "n", "e"),
    node("Neg", "x", "n"),
    node("Add", "e one", "f"),
    node("Reciprocal", "f", "g"),
    node("Mul", "g scale", "h"),
    node("Mul", "x h", "y"),
  ];
  const made = formula(nodes, { half: 0.5, one: 1 });
  const graph = { ...made, constants: { ...made.constants, scale: tensor([3], [1, 2, 3]) } };
  const silu = (x: number) => x / (1 + Math.exp(-x));
  assertClose(answerOf(graph, [1, 2, -1], true), [silu(1), 2 * silu(2), 3 * silu(-1)]);
});

Deno.test("formulas that no network layer computes are refused by their operators", () => {
  const refuses = (message: string, graph: MadeGraph) =>
    assertRefused("model_refused", message, () => networkOf(graph));
  const mish = formula([
    node("Softplus", "x", "a"),
    node("Tanh", "a", "b"),
    node("Mul", "x b", "c"),
    node("Relu", "c", "y"),
  ], {});
  refuses('Mul (node "n2")', { ...mish, outputs: ["c"] });
  refuses("Erf", chainOf([0, 3], [["Erf"], ["Flatten"], ["MatMul", [tensor([3, 1], [1, 1, 1])]]]));
  refuses("several slopes", chainOf([0, 2], [["PRelu", [tensor([2], [0.1, 0.2])]]]));
  const grown = Array.from({ length: 200 }, (_, i) => node("Mul", `v${i} v${i}`, `v${i + 1}`));
  refuses("", { ...formula([node("Exp", "x", "v0"), ...grown], {}), outputs: ["v200"] });
});
