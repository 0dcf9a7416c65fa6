import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { COMMITTED, readCase, readModelBytes } from "../tests/fixtures/cases.ts";
import { attributeOf, type EditableGraph, type EditableNode, editOnnx } from "../tests/fixtures/onnx_edit.ts";
import { importOnnx } from "./mod.ts";

const bytes = (name: string) => readModelBytes(COMMITTED, readCase(COMMITTED, name));
const encode = (text: string) => new TextEncoder().encode(text);
const CORES = /^(TreeEnsemble|Linear)/;

function refuses(message: string, name: string, edit: (core: EditableNode, graph: EditableGraph) => void): void {
  const file = editOnnx(bytes(name), (graph) => edit(graph.node.find((node) => CORES.test(node.opType))!, graph));
  assertRefused("model_refused", message, () => importOnnx(file));
}

Deno.test("binary forests of class probabilities have one score", () => {
  for (const name of ["wdbc_rf", "made_pair_shares"]) {
    const model = importOnnx(bytes(name));
    assert.ok(model.kind === "forest" && model.trees.every((tree) => tree.outputs.length === 1));
    assert.deepEqual([model.output.task, Math.fround(model.output.threshold)], ["binary", 0.5]);
  }
});

Deno.test("forests of several classes add to all of them, boosted trees to one", () => {
  const outputs = (name: string) => {
    const model = importOnnx(bytes(name));
    return model.kind === "forest" ? model.trees.map((tree) => tree.outputs.length) : [];
  };
  assert.ok(outputs("iris_rf").every((count) => count === 3));
  assert.ok(outputs("iris_gb").every((count) => count === 1));
});

Deno.test("labels are integers or words, as the file says", () => {
  assert.deepEqual(importOnnx(bytes("iris_words")).output.labels, ["setosa", "versicolor", "virginica"]);
  assert.deepEqual(importOnnx(bytes("iris_rf")).output.labels, [0, 1, 2]);
});

Deno.test("missing values are refused unless the file sends some along a true branch", () => {
  assert.equal(importOnnx(bytes("wdbc_rf")).features[0].missing, "refused");
  assert.equal(importOnnx(bytes("wdbc_missing_hist")).features[0].missing, "nan");
  assert.equal(importOnnx(bytes("diabetes_linear")).features[0].missing, "refused");
});

Deno.test("operators that Sotto does not run are refused by name", () => {
  refuses("SVMClassifier", "wdbc_rf", (core) => core.opType = "SVMClassifier");
  refuses("Imputer", "wdbc_logistic", (_, graph) => graph.node[0].opType = "Imputer");
  refuses("ArgMax", "wdbc_rf", (_, graph) => graph.node[1].opType = "ArgMax");
  refuses("holds 2 models", "wdbc_rf", (core, graph) => graph.node.push(core));
  refuses("cycle", "wdbc_logistic", (_, graph) => graph.node[0].input = [...graph.node[0].output]);
  refuses(
    "norm MAX",
    "iris_ovr",
    (_, graph) => graph.node.find((node) => node.opType === "Normalizer")!.attribute = [],
  );
});

Deno.test("modes and attributes that Sotto does not run are refused by name", () => {
  refuses('tree 0, node 0 has the mode "BRANCH_EQ"', "wdbc_rf", (core) => {
    attributeOf(core, "nodes_modes").strings[0] = encode("BRANCH_EQ");
  });
  refuses('mode "toString"', "wdbc_rf", (core) => attributeOf(core, "nodes_modes").strings[0] = encode("toString"));
  refuses('post_transform "PROBIT"', "wdbc_rf", (core) => attributeOf(core, "post_transform").s = encode("PROBIT"));
  refuses("aggregates by MAX", "made_average", (core) => attributeOf(core, "aggregate_function").s = encode("MAX"));
  refuses("2 targets", "made_sum", (core) => attributeOf(core, "n_targets").i = 2n);
});

Deno.test("broken trees are refused by place", () => {
  refuses(
    "tree 0, node 0 has the threshold NaN",
    "wdbc_rf",
    (core) => attributeOf(core, "nodes_values").floats[0] = NaN,
  );
  refuses("splits on feature 30", "wdbc_rf", (core) => attributeOf(core, "nodes_featureids").ints[0] = 30n);
  refuses("names the child 999", "wdbc_rf", (core) => attributeOf(core, "nodes_truenodeids").ints[0] = 999n);
  refuses("never reached", "wdbc_rf", (core) => attributeOf(core, "nodes_truenodeids").ints[0] = 0n);
  refuses("exactly one root", "wdbc_rf", (core) => {
    attributeOf(core, "nodes_truenodeids").ints[0] = attributeOf(core, "nodes_falsenodeids").ints[0];
  });
  refuses("is there twice", "wdbc_rf", (core) => attributeOf(core, "nodes_nodeids").ints[1] = 0n);
  refuses("is no leaf", "wdbc_rf", (core) => attributeOf(core, "class_nodeids").ints[0] = 0n);
  refuses(
    "leaf value that is not finite",
    "wdbc_rf",
    (core) => attributeOf(core, "class_weights").floats[0] = Infinity,
  );
  refuses("different lengths", "wdbc_rf", (core) => attributeOf(core, "nodes_values").floats.pop());
  refuses("class or target 3", "iris_rf", (core) => attributeOf(core, "class_ids").ints[0] = 3n);
});

Deno.test("broken linear models and scalers are refused", () => {
  refuses("59 coefficients", "wdbc_logistic", (core) => attributeOf(core, "coefficients").floats.pop());
  refuses("class label twice", "wdbc_logistic", (core) => attributeOf(core, "classlabels_ints").ints[1] = 0n);
  refuses("it must be positive", "wdbc_scaled_dt", (_, graph) => attributeOf(graph.node[0], "scale").floats.fill(-1));
});

Deno.test("files that are not ONNX are malformed", () => {
  assertRefused("malformed_file", "not an ONNX model", () => importOnnx(encode("tree\nversion=v4")));
  assertRefused("malformed_file", "no graph", () => importOnnx(new Uint8Array()));
  assertRefused("malformed_file", "not an ONNX model", () => importOnnx(bytes("wdbc_rf").subarray(0, 500)));
});
