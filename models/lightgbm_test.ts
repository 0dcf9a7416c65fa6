import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { COMMITTED, readCase, readModelBytes } from "../tests/fixtures/cases.ts";
import { LARGEST } from "./float.ts";
import { importLightgbm } from "./mod.ts";

const text = (name: string) => new TextDecoder().decode(readModelBytes(COMMITTED, readCase(COMMITTED, name)));
const load = (content: string) => importLightgbm(new TextEncoder().encode(content));
const wdbc = text("wdbc_lgbm");

/** The file with the first line of this key in tree 0 (or the header) replaced. */
function replaced(key: string, value: string | ((old: string) => string), content = wdbc): string {
  return content.replace(
    new RegExp(`^${key}=(.*)$`, "m"),
    (_, old) => `${key}=${typeof value === "string" ? value : value(old)}`,
  );
}

const first = (value: string) => (old: string) => [value, ...old.split(" ").slice(1)].join(" ");

function refuses(message: string, content: string): void {
  assertRefused("model_refused", message, () => load(content));
}

Deno.test("a LightGBM model keeps its names, version and objective", () => {
  const model = load(wdbc);
  assert.deepEqual(model.source, { format: "lightgbm", version: "v4", objective: "binary sigmoid:1" });
  assert.equal(model.features[0].name, "mean_radius");
  assert.deepEqual(load(wdbc.replaceAll("\n", "\r\n")), model);
});

Deno.test("missing types arrive as the feature's missing rule", () => {
  const rules = (name: string) => new Set(load(text(name)).features.map((feature) => feature.missing));
  assert.ok(rules("wdbc_missing_nan_lgbm").has("nan"));
  assert.ok(rules("wdbc_missing_zero_lgbm").has("zero"));
  assert.deepEqual([...rules("wdbc_missing_none_lgbm")], ["as_zero"]);
});

Deno.test("trees of a single leaf are trees", () => {
  assert.ok(load(text("wdbc_lgbm_stump")).trees.every((tree) => tree.nodes.length === 1));
});

Deno.test("an infinite threshold sends every value left", () => {
  const root = load(replaced("threshold", first("inf"))).trees[0].nodes[0];
  assert.ok(root.kind === "split" && root.threshold === LARGEST.float64);
});

Deno.test("what Sotto does not run is refused by name", () => {
  refuses("tree 0, node 0 is a categorical split", replaced("decision_type", first("1")));
  refuses("Tree 0 has categorical splits", replaced("num_cat", "1"));
  refuses("Tree 0 has linear leaves", replaced("is_linear", "1"));
  refuses("reg_sqrt", replaced("objective", "regression sqrt"));
  refuses('objective "custom"', replaced("objective", "custom"));
  refuses("names no objective", wdbc.replace(/^objective=.*$/m, ""));
  refuses("at least two classes", replaced("objective", "multiclass num_class:3"));
});

Deno.test("broken trees are refused by place", () => {
  refuses("tree 0, node 0 has the threshold NaN", replaced("threshold", first("nan")));
  refuses("tree 0, node 0 has the unknown decision type 12", replaced("decision_type", first("12")));
  refuses("tree 0, node 0 splits on feature 30", replaced("split_feature", first("30")));
  refuses("tree 0, node 0 names the child -1", replaced("left_child", first("99")));
  refuses("tree 0, node 0 is reached twice", replaced("left_child", first("0")));
  refuses("leaf value", replaced("leaf_value", first("nan")));
  refuses("unlike other nodes", replaced("decision_type", first("8")));
  refuses("no trees", wdbc.replace(/^Tree=0[^]*(?=end of trees)/m, ""));
});

Deno.test("files that are not LightGBM text, or cut short, are malformed", () => {
  const malformed = (message: string, content: string) => assertRefused("malformed_file", message, () => load(content));
  malformed('line "tree"', "{}");
  malformed("end of trees", wdbc.slice(0, 2000));
  malformed("needs", replaced("threshold", "1 2"));
  malformed("not a number", replaced("threshold", first("1.5x")));
  malformed("whole number", replaced("num_leaves", "-3"));
  malformed('no "leaf_value"', wdbc.replace(/^leaf_value=.*$/m, ""));
  assertRefused("malformed_file", "LightGBM text", () => importLightgbm(new Uint8Array([0xff, 0xfe])));
});
