import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { COMMITTED, readCase, readModelBytes } from "../tests/fixtures/cases.ts";
import { importModel, thresholds } from "./mod.ts";

const bytes = readModelBytes(COMMITTED, readCase(COMMITTED, "wdbc_xgb50x3"));
const withEdges = (edges: number[][]) => importModel("xgboost", bytes, { bins: { kind: "quantile", edges } });

function ownThresholds(): number[][] {
  const model = importModel("xgboost", bytes, { bins: { kind: "model" } });
  return model.kind === "forest" ? thresholds(model) : [];
}

Deno.test("every threshold moves to the nearest edge of its feature", () => {
  const own = ownThresholds();
  const edges = own.map((cuts) => cuts.length === 0 ? [] : [0, 0.25, 1, 20, 100, 500]);
  const model = withEdges(edges);
  if (model.kind !== "forest") throw new Error("a forest was expected");
  thresholds(model).forEach((cuts, feature) => {
    const nearest = own[feature].map((cut) => {
      return edges[feature].reduce((best, edge) => Math.abs(edge - cut) < Math.abs(best - cut) ? edge : best);
    });
    assert.deepEqual(cuts, [...new Set(nearest)]);
  });
});

Deno.test("edges at the model's own thresholds change nothing", () => {
  assert.deepEqual(withEdges(ownThresholds()), importModel("xgboost", bytes, { bins: { kind: "model" } }));
});

Deno.test("the bundled model has 104 thresholds and 219 leaves", () => {
  const model = importModel("xgboost", bytes, { bins: { kind: "model" } });
  if (model.kind !== "forest") throw new Error("a forest was expected");
  assert.equal(thresholds(model).flat().length, 104);
  assert.equal(model.trees.flatMap((tree) => tree.nodes).filter((node) => node.kind === "leaf").length, 219);
});

Deno.test("edges that do not fit the model are refused", () => {
  assertRefused("model_refused", "edges for 1 features", () => withEdges([[1]]));
  assertRefused("model_refused", "has no edges", () => withEdges(ownThresholds().map(() => [])));
  assertRefused("model_refused", "not sorted", () => withEdges(ownThresholds().map(() => [2, 1])));
  assertRefused("model_refused", "not sorted", () => withEdges(ownThresholds().map(() => [NaN])));
  const linear = readModelBytes(COMMITTED, readCase(COMMITTED, "diabetes_linear"));
  assertRefused("model_refused", "no thresholds", () => {
    importModel("onnx", linear, { bins: { kind: "quantile", edges: [] } });
  });
});
