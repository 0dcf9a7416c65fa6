import assert from "node:assert/strict";
import { COMMITTED, readCases, readModelBytes } from "../tests/fixtures/cases.ts";
import { evaluate, importModel, type Model, predict, randomRows, thresholds } from "./mod.ts";
import { nextDown } from "./float.ts";

function load(name: string): Model {
  const entry = readCases(COMMITTED).find((candidate) => candidate.name === name)!;
  return importModel(entry.format, readModelBytes(COMMITTED, entry), { bins: { kind: "model" } });
}

Deno.test("every committed model takes its random rows and gives finite scores", () => {
  for (const { name } of readCases(COMMITTED)) {
    const model = load(name);
    for (const row of randomRows(model, 20, 3)) {
      assert.ok(predict(model, evaluate(model, row).margins).scores.every(Number.isFinite), name);
    }
  }
});

Deno.test("random rows are those of their seed", () => {
  const model = load("wdbc_xgb50x3");
  assert.deepEqual(randomRows(model, 5, 1), randomRows(model, 5, 1));
  assert.notDeepEqual(randomRows(model, 5, 1), randomRows(model, 5, 2));
});

Deno.test("random rows lie at thresholds, just below, and are missing", () => {
  const model = load("wdbc_missing_xgb");
  if (model.kind !== "forest") throw new Error("a forest was expected");
  const feature = thresholds(model).findIndex((cuts) => cuts.length > 0);
  const [cut] = thresholds(model)[feature];
  const values = randomRows(model, 2000, 1).map((row) => row[feature]);
  assert.ok(values.includes(cut) && values.includes(nextDown("float32", cut)) && values.some(Number.isNaN));
});

Deno.test("models that take no missing values get none", () => {
  const model = load("wdbc_rf");
  assert.ok(randomRows(model, 200, 1).flat().every(Number.isFinite));
});
