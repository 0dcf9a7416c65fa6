import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { COMMITTED, readCase, readModelBytes } from "../tests/fixtures/cases.ts";
import { importXgboost } from "./mod.ts";

// deno-lint-ignore no-explicit-any -- tests change any part of the file
type Json = any;

function edited(name: string, edit: (file: Json, tree: Json) => void): Uint8Array {
  const file = JSON.parse(new TextDecoder().decode(readModelBytes(COMMITTED, readCase(COMMITTED, name))));
  const booster = file.learner.gradient_booster;
  edit(file, (booster.gbtree ?? booster).model.trees[2]);
  return new TextEncoder().encode(JSON.stringify(file));
}

function refuses(message: string, edit: (file: Json, tree: Json) => void, name = "wdbc_xgb50x3"): void {
  assertRefused("model_refused", message, () => importXgboost(edited(name, edit)));
}

Deno.test("an XGBoost model keeps its names, version and objective", () => {
  const model = importXgboost(readModelBytes(COMMITTED, readCase(COMMITTED, "wdbc_xgb50x3")));
  assert.deepEqual(model.source, { format: "xgboost", version: "3.2.0", objective: "binary:logistic" });
  assert.deepEqual(model.features[0], { name: "mean_radius", cast: "float32", missing: "nan" });
  assert.equal(model.trees.length, 50);
});

Deno.test("base_score is read in both forms", () => {
  for (const base of ["3E-1", "[3E-1]", 0.3]) {
    const model = importXgboost(edited("wdbc_xgb50x3", (file) => file.learner.learner_model_param.base_score = base));
    assert.ok(Math.abs(model.output.base[0] - Math.log(0.3 / 0.7)) < 1e-6);
  }
  for (const base of ["", "[]", "NaN", "[1,", "x"]) {
    refuses("base_score", (file) => file.learner.learner_model_param.base_score = base);
  }
  refuses("base score", (file) => file.learner.learner_model_param.base_score = "[1E0]");
  refuses("2 base scores for 1", (file) => file.learner.learner_model_param.base_score = "[5E-1,5E-1]");
});

Deno.test("an early-stopped model keeps the trees up to its best iteration", () => {
  const early = readModelBytes(COMMITTED, readCase(COMMITTED, "wdbc_xgb_early_stopped"));
  const file = JSON.parse(new TextDecoder().decode(early));
  const best = Number(file.learner.attributes.best_iteration);
  assert.equal(importXgboost(early).trees.length, best + 1);
  assert.ok(file.learner.gradient_booster.model.trees.length > best + 1);
  const classes = importXgboost(edited("iris_xgb_old", (old) => old.learner.attributes.best_iteration = "2"));
  assert.equal(classes.trees.length, 9);
  refuses("trees that are not there", (late) => late.learner.attributes.best_iteration = "400");
  refuses("not a whole number", (odd) => odd.learner.attributes.best_iteration = "last");
});

Deno.test("deleted nodes of a pruned tree are dropped", () => {
  const model = importXgboost(readModelBytes(COMMITTED, readCase(COMMITTED, "wdbc_xgb_pruned")));
  assert.ok(model.trees.some((tree) => tree.nodes.length === 13));
});

Deno.test("boosters, objectives and trees that Sotto does not run are refused by name", () => {
  refuses('booster "gblinear"', (file) => file.learner.gradient_booster = { name: "gblinear", model: {} });
  refuses('objective "survival:cox"', (file) => file.learner.objective.name = "survival:cox");
  refuses("several targets", (file) => file.learner.learner_model_param.num_target = "2");
  refuses("vector leaves", (_, tree) => tree.tree_param.size_leaf_vector = "3");
  refuses("tree 2, node 1 is a categorical split", (_, tree) => tree.split_type[1] = 1);
  refuses("at least two classes", (file) => file.learner.objective.name = "multi:softprob");
});

Deno.test("broken trees are refused by place", () => {
  refuses("tree 2, node 0 is reached twice", (_, tree) => tree.left_children[1] = 0);
  refuses("tree 2, node 0 names the child 99", (_, tree) => tree.left_children[0] = 99);
  refuses("tree 2, node 0 splits on feature 30", (_, tree) => tree.split_indices[0] = 30);
  refuses("tree 2, node 0 has a threshold", (_, tree) => tree.split_conditions[0] = 1e300);
  refuses("Tree 2 has columns", (_, tree) => tree.default_left.pop());
  refuses("no trees", (file) => {
    file.learner.gradient_booster.model.trees = [];
    file.learner.gradient_booster.model.tree_info = [];
  });
  refuses("weight_drop", (file) => file.learner.gradient_booster.weight_drop.pop(), "wdbc_xgb_dart");
});

Deno.test("files that are not XGBoost JSON are malformed, and UBJ is named", () => {
  const file = (text: string) => () => importXgboost(new TextEncoder().encode(text));
  assertRefused("malformed_file", "not an XGBoost JSON model", file("tree\nversion=v4"));
  assertRefused("malformed_file", "not an XGBoost JSON model", file(""));
  assertRefused("malformed_file", /at "version"/, file("{}"));
  assertRefused("malformed_file", "not an XGBoost JSON model", file("[".repeat(200_000)));
  assertRefused("malformed_file", 'save_model("model.json")', file("{L\0\0\0\0\0\0\0\x07learner{"));
});
