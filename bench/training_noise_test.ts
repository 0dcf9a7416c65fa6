import assert from "node:assert/strict";
import { simulateTraining } from "../circuits/training/mod.ts";
import { loadTraining, TRAININGS } from "./training_models.ts";
import { NoiseReference } from "./training_noise.ts";

const [wdbc] = TRAININGS;
const network = { ...wdbc, training: { ...wdbc.training, kind: "mlp", hidden: { width: 8, activation: "sigmoid" } } };

for (const [name, entry] of [["a regression", wdbc], ["a network", network]] as const) {
  Deno.test(`simulated noise of ${name} is about what is expected, and none is none`, () => {
    const { spec, train } = loadTraining(entry, 3, 0);
    const reference = new NoiseReference(spec, train, 3);
    const noisy = reference.deviation(3, simulateTraining(spec, train, { seed: new Uint8Array(32).fill(9) }).weights);
    assert.ok(noisy.first > 0.3 && noisy.first < 2, `${noisy.first}`);
    if (spec.kind === "mlp") assert.ok(noisy.second > 0.3 && noisy.second < 2, `${noisy.second}`);
    const quiet = reference.deviation(3, simulateTraining(spec, train, { noise: false }).weights);
    assert.deepEqual(quiet, { first: 0, second: 0 });
  });
}

Deno.test("weights that are off by a tenth are far beyond the formula", () => {
  const { spec, train } = loadTraining(wdbc, 1, 0);
  const { weights } = simulateTraining(spec, train, { noise: false });
  const wrong = { ...weights, first: weights.first.map((row) => row.map((w) => w + 0.1)) };
  assert.ok(new NoiseReference(spec, train, 1).deviation(1, wrong).first > 5);
});
