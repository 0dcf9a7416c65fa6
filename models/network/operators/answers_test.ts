import assert from "node:assert/strict";
import { assertRefused } from "../../../tests/fixtures/assert_refused.ts";
import { finish } from "../../output.ts";
import { evaluateNetwork } from "../evaluate.ts";
import { answerOf, chainOf, integers, type MadeGraph, networkOf, node, tensor } from "../made_graph.ts";
import { assertClose } from "../assert_close.ts";

const THREE = tensor([2, 3], [1, 2, 3, 4, 5, 6]);
const ONE = tensor([2, 1], [1, -1]);
type Steps = Parameters<typeof chainOf>[1];

function outputOf(graph: MadeGraph) {
  const { layers, outputs } = networkOf(graph, true);
  return { kinds: layers.map((layer) => layer.kind), ...outputs[0].output };
}

const ended = (...steps: Steps) => outputOf(chainOf([0, 2], [["MatMul", [THREE]], ...steps]));
const single = (...steps: Steps) => outputOf(chainOf([0, 2], [["MatMul", [ONE]], ...steps]));

Deno.test("what a network ends with is the client's transform, and no layer", () => {
  for (const op of ["Softmax", "LogSoftmax"]) {
    const { kinds, task, transform, labels } = ended([op]);
    assert.deepEqual([kinds, task, transform, labels], [["dense"], "multiclass", "softmax", [0, 1, 2]]);
  }
  assert.deepEqual([ended().task, ended().transform], ["multiclass", "identity"]);
  const probability = single(["Sigmoid"]);
  assert.deepEqual([probability.kinds, probability.task, probability.transform], [["dense"], "binary", "logistic"]);
  assert.deepEqual([probability.labels, probability.threshold], [[0, 1], 0.5]);
  assert.deepEqual([single().task, single().transform, single().labels], ["regression", "identity", []]);
  assert.deepEqual([single(["Exp"]).task, single(["Exp"]).transform], ["regression", "exp"]);
  assert.deepEqual([ended(["Sigmoid"]).task, ended(["Sigmoid"]).transform], ["multiclass", "logistic"]);
});

Deno.test("answers may be reshaped and converted on the way out", () => {
  const { kinds, transform } = ended(["Softmax", [], { axis: 1 }], ["Reshape", [integers(-1, 3)]], ["Cast", [], {
    to: 1,
  }], ["Identity"]);
  assert.deepEqual([kinds, transform], [["dense"], "softmax"]);
  assertClose(
    answerOf(chainOf([0, 2], [["Add", [tensor([], [1])]], ["Softmax"], ["Squeeze", [integers(0)]]]), [0, Math.log(3)]),
    [0.25, 0.75],
  );
});

/** Two classes as scikit-learn's converter writes them. */
const PAIR: MadeGraph = {
  input: [0, 2],
  nodes: [
    node("MatMul", "x w", "z"),
    node("Sigmoid", "z", "p"),
    node("Sub", "one p", "q"),
    node("Concat", "q p", "probabilities", { axis: 1 }),
    node("ArgMax", "probabilities", "place", { axis: 1 }),
    node("ArrayFeatureExtractor", "classes place", "label"),
    node("ZipMap", "probabilities", "table", { classlabels_strings: ["no", "yes"] }),
  ],
  constants: { w: ONE, one: tensor([], [1]), classes: { shape: [2], values: ["no", "yes"], type: "string" } },
  outputs: ["label", "table"],
};

Deno.test("the probabilities 1 - p and p are one score, and the label goes with it", () => {
  const model = networkOf(PAIR, true);
  assert.deepEqual(model.layers.map((layer) => layer.kind), ["dense"]);
  assert.equal(model.outputs.length, 1);
  const { name, output } = model.outputs[0];
  assert.deepEqual([name, output.task, output.transform, output.labels], ["table", "binary", "logistic", [
    "no",
    "yes",
  ]]);
  assert.equal(finish(output, evaluateNetwork(model, [3, 1])[0]).label, "yes");
});

Deno.test("a label alone is the largest score's", () => {
  const graph: MadeGraph = {
    input: [0, 2],
    nodes: [
      node("MatMul", "x w", "z"),
      node("ArgMax", "z", "place", { axis: 1 }),
      node("Gather", "classes place", "label"),
    ],
    constants: { w: THREE, classes: integers(7, 8, 9) },
    outputs: ["label"],
  };
  const model = networkOf(graph);
  assert.deepEqual(model.outputs[0].output.labels, [7, 8, 9]);
  assert.equal(finish(model.outputs[0].output, evaluateNetwork(model, [1, 0])[0]).label, 9);
});

Deno.test("a network may have several outputs", () => {
  const nodes = [node("MatMul", "x w", "a"), node("Softmax", "a", "b"), node("MatMul", "x v", "c")];
  const model = networkOf({ input: [0, 2], nodes, constants: { w: THREE, v: ONE }, outputs: ["b", "c"] });
  assert.deepEqual(model.outputs.map(({ name, output }) => [name, output.task]), [["b", "multiclass"], [
    "c",
    "regression",
  ]]);
  assert.deepEqual(evaluateNetwork(model, [1, 1]), [[5, 7, 9], [0]]);
});

Deno.test("answers in the middle of a network, or over a part of the scores, are refused", () => {
  const refuses = (message: string, graph: MadeGraph) =>
    assertRefused("model_refused", message, () => networkOf(graph));
  refuses("only at the end", chainOf([0, 2], [["Softmax"], ["MatMul", [THREE]]]));
  refuses("works on 2 of 4 scores", chainOf([0, 2, 2], [["Softmax"]]));
  refuses("largest of a part", chainOf([0, 2, 2], [["ArgMax", [], { axis: 1 }]]));
  refuses("softmax of one score", chainOf([0, 2], [["MatMul", [ONE]], ["Softmax"]]));
  refuses("scores of Softmax", chainOf([0, 2], [["Softmax"], ["Gather", [integers(1)], { axis: 1 }]]));
  refuses("norm L1", chainOf([0, 2], [["Normalizer"]]));
  refuses("the input itself", chainOf([0, 2], [["Softmax"]]));
  refuses("2 labels", {
    ...PAIR,
    nodes: [node("MatMul", "x w", "z"), node("ZipMap", "z", "t", { classlabels_int64s: [1, 2] })],
    constants: { w: THREE },
    outputs: ["t"],
  });
});
