import assert from "node:assert/strict";
import { plainBackend } from "../circuits/plain.ts";
import { LINEAR_MODELS, loadModel, STANDARD_MODEL, TREE_MODELS } from "./bench_models.ts";
import { measureScore } from "./measure_score.ts";

const timing = { threads: 1, singleRuns: 1 };

Deno.test("the standard model in mode score has the labels of the model in clear", async () => {
  const entry = TREE_MODELS.find(({ name }) => name === STANDARD_MODEL)!;
  const measured = await measureScore(plainBackend(), await loadModel(entry, 20), timing);
  assert.equal(measured.agreement, 1);
  assert.ok(measured.plan.lookups_per_row > 0);
  assert.ok(measured.secondsPerRow > 0 && measured.secondsSingle > 0);
});

Deno.test("a linear model has no mode score", async () => {
  const loaded = await loadModel(LINEAR_MODELS[0], 1);
  await assert.rejects(measureScore(plainBackend(), loaded, timing), /measured on tree models/);
});
