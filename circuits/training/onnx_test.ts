import assert from "node:assert/strict";
import { evaluate, importOnnxModel, predict } from "../../models/mod.ts";
import { evaluateNetwork } from "../../models/network/evaluate.ts";
import type { Model } from "../../models/types.ts";
import { scoresOf, trainClear } from "./clear.ts";
import { unitRow } from "./data.ts";
import { trainedOnnx } from "./onnx.ts";
import { affineOf, parseTrainingSpec, type TrainingSpec } from "./spec.ts";
import { sigmoid } from "./tables.ts";
import { readTable } from "./test_data.ts";

const wine = readTable("wine");
const common = {
  features: wine.features,
  batch_size: 8,
  steps: 40,
  clip: 6,
  learning_rate: { schedule: "constant", rate: 1 },
};
const rows = wine.test.rows.slice(0, 12);

function trained(kind: object, targets = (t: number) => t) {
  const spec = parseTrainingSpec({ ...common, ...kind });
  const weights = trainClear(spec, { rows: wine.train.rows, targets: Array.from(wine.train.targets, targets) });
  return { spec, weights, model: importOnnxModel(trainedOnnx(spec, weights)), scores: scoresFor(spec, weights) };
}

function scoresFor(spec: TrainingSpec, weights: ReturnType<typeof trainClear>) {
  return (row: ArrayLike<number>) => [...scoresOf(spec, weights, unitRow(spec, row))];
}

function assertNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((x, i) => assert.ok(Math.abs(x - expected[i]) < tolerance, `${x} is not ${expected[i]}`));
}

Deno.test("a trained logistic regression is read as one, with its classes", () => {
  const { model, scores } = trained({ kind: "logistic", classes: ["low", "high"] }, (t) => Math.min(1, t));
  for (const row of rows) {
    const { prediction } = evaluated(model as Model, row);
    assert.deepEqual((model as Model).output.labels, ["low", "high"]);
    assertNear([prediction.scores[prediction.scores.length - 1]], [sigmoid(scores(row)[0])], 1e-5);
  }
});

Deno.test("a trained one-vs-rest model gives each class its share", () => {
  const { model, scores } = trained({ kind: "logistic", classes: [0, 1, 2] });
  for (const row of rows) {
    const raw = scores(row).map(sigmoid);
    const sum = raw.reduce((a, b) => a + b, 0);
    assertNear(evaluated(model as Model, row).prediction.scores, raw.map((p) => p / sum), 1e-5);
  }
});

Deno.test("a trained linear regression predicts in the units of its target", () => {
  const target = { name: "class", mean: 1, deviation: 0.8 };
  const { spec, model, scores } = trained({ kind: "linear", target });
  const { gain, shift } = affineOf(target, spec.clip);
  for (const row of rows) {
    assertNear(evaluated(model as Model, row).prediction.scores, [(scores(row)[0] - shift) / gain], 1e-4);
  }
});

for (const activation of ["sigmoid", "relu"] as const) {
  Deno.test(`a trained ${activation} network is read as a network`, () => {
    const { model, scores } = trained({ kind: "mlp", classes: [0, 1, 2], hidden: { width: 5, activation } });
    assert.equal(model.kind, "network");
    if (model.kind !== "network") return;
    for (const row of rows) assertNear(evaluateNetwork(model, Float64Array.from(row))[0], scores(row), 1e-3);
  });
}

function evaluated(model: Model, row: ArrayLike<number>) {
  const { margins } = evaluate(model, Array.from(row)) as unknown as { margins: number[] };
  return { prediction: predict(model, margins) };
}
