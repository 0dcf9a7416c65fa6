import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { checkModel } from "./check.ts";
import { evaluate } from "./evaluate.ts";
import type { ForestModel, LinearModel, Node, Tree } from "./types.ts";

const leaf = (value: number): Node => ({ kind: "leaf", values: [value] });
const split = (left: number, right: number, threshold = 0.5, feature = 0): Node => {
  return { kind: "split", feature, threshold, left, right, missing: "left" };
};

function forest(...trees: Tree[]): ForestModel {
  return {
    kind: "forest",
    source: { format: "xgboost", version: "3", objective: "reg:squarederror" },
    features: [{ name: "f0", cast: "float32", missing: "nan" }],
    trees,
    output: { task: "regression", transform: "identity", base: [0], labels: [], threshold: 0 },
  };
}
const tree = (...nodes: Node[]): Tree => ({ outputs: [0], nodes });
const refuses = (message: string, model: ForestModel) =>
  assertRefused("model_refused", message, () => checkModel(model));

Deno.test("a sound forest passes", () => {
  const model = forest(tree(split(1, 2), leaf(1), leaf(2)), tree(leaf(3)));
  assert.equal(checkModel(model), model);
});

Deno.test("forests and trees without content are refused", () => {
  refuses("no trees", forest());
  refuses("Tree 1 is empty", forest(tree(leaf(1)), tree()));
  refuses("0 features", { ...forest(tree(leaf(1))), features: [] });
});

Deno.test("cycles, nodes reached twice and nodes never reached are refused by place", () => {
  refuses("tree 0, node 0 is reached twice", forest(tree(split(0, 1), leaf(1))));
  refuses("tree 0, node 1 is reached twice", forest(tree(split(1, 1), leaf(1))));
  refuses("tree 0, node 3 is never reached", forest(tree(split(1, 2), leaf(1), leaf(2), leaf(3))));
});

Deno.test("numbers that make no sense are refused by place", () => {
  refuses("tree 0, node 0 splits on feature 1", forest(tree(split(1, 2, 0.5, 1), leaf(1), leaf(2))));
  refuses("tree 0, node 0 names the child 7", forest(tree(split(1, 7), leaf(1), leaf(2))));
  for (const threshold of [NaN, Infinity, -Infinity]) {
    refuses("tree 0, node 0 has a threshold", forest(tree(split(1, 2, threshold), leaf(1), leaf(2))));
  }
  refuses("not a float32", forest(tree(split(1, 2, 0.1), leaf(1), leaf(2))));
  refuses("tree 0, node 2 has a leaf value", forest(tree(split(1, 2), leaf(1), leaf(NaN))));
  refuses("tree 0, node 0 has 2 values", forest(tree({ kind: "leaf", values: [1, 2] })));
  refuses("Tree 0 adds to a score", forest({ outputs: [1], nodes: [leaf(1)] }));
});

Deno.test("a tree as deep as it has leaves is checked and evaluated without recursion", () => {
  const depth = 200_000;
  const nodes = Array.from({ length: 2 * depth + 1 }, (_, at) => {
    return at % 2 === 0 && at < 2 * depth ? split(at + 1, at + 2, at / 2) : leaf(at / 2);
  });
  const model = checkModel(forest({ outputs: [0], nodes }));
  assert.deepEqual(evaluate(model, [1e9]).margins, [depth]);
  assert.deepEqual(evaluate(model, [-1]).margins, [0.5]);
});

Deno.test("linear models with missing or infinite weights are refused", () => {
  const { source, features, output } = forest();
  const linear = (weights: number[][], bias: number[]): LinearModel => ({
    kind: "linear",
    source,
    features,
    weights,
    bias,
    output,
  });
  checkModel(linear([[1]], [0]));
  assertRefused("model_refused", "differ in number", () => checkModel(linear([[1], [2]], [0])));
  assertRefused("model_refused", "2 weights for 1", () => checkModel(linear([[1, 2]], [0])));
  assertRefused("model_refused", "not finite", () => checkModel(linear([[Infinity]], [0])));
});
