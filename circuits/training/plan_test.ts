import assert from "node:assert/strict";
import { plainBackend } from "../plain.ts";
import { planTraining } from "./plan.ts";
import { parseTrainingSpec } from "./spec.ts";
import { weightNoise } from "./step_noise.ts";
import { simulateTraining } from "./simulate.ts";
import { squaresOf } from "./rehearse.ts";
import { readTable } from "./test_data.ts";

const wdbc = readTable("wdbc");
const plain = plainBackend();
const costs = { network: await plain.networkCosts(), training: await plain.training.costs(), threads: 2 };
const base = {
  kind: "logistic",
  classes: [0, 1],
  features: wdbc.features,
  batch_size: 8,
  steps: 200,
  learning_rate: { schedule: "constant", rate: 1 },
};

Deno.test("the plan of a regression has a lookup a row, keys below 70 MB and noise far below its weights", () => {
  const plan = planTraining(parseTrainingSpec(base), 426, costs, wdbc.train);
  assert.equal(plan.lookups_per_batch, 8);
  assert.ok(plan.key_bytes <= 70e6);
  assert.ok(plan.milliseconds_per_batch <= 150);
  assert.ok(plan.noise.feature < 0.1 && plan.noise.reading < 0.2);
  assert.ok(plan.rehearsal !== null && plan.rehearsal.weight_error < 0.1);
  assert.ok(plan.rehearsal.largest_sum < 1);
  assert.equal(plan.rehearsal.out_of_range, 0);
});

Deno.test("a network of 30 hidden units makes 2,176 lookups a batch of 8, within 15 seconds", () => {
  const hidden = { width: 30, activation: "sigmoid" };
  const plan = planTraining(parseTrainingSpec({ ...base, kind: "mlp", hidden, steps: 54 }), 426, costs);
  assert.equal(plan.lookups_per_batch, 2176);
  assert.ok(plan.milliseconds_per_batch <= 15_000);
  assert.ok(plan.key_bytes <= 70e6);
});

Deno.test("a full chunk takes at most 40 bytes a value", () => {
  const features = Array.from({ length: 255 }, (_, f) => ({ name: `f${f}`, mean: 0, deviation: 1 }));
  const plan = planTraining(parseTrainingSpec({ ...base, features }), 1000, costs);
  assert.ok(plan.upload_bytes_per_value <= 40);
});

Deno.test("a run whose noise reaches its scores, or whose range is too small, is refused with numbers", () => {
  const refused = (changes: object, message: RegExp) =>
    assert.throws(() => planTraining(parseTrainingSpec({ ...base, ...changes }), 426, costs, wdbc.train), {
      code: "model_refused",
      message,
    });
  refused({ steps: 100_000 }, /100000 steps the weights' noise moves scores by [0-9.]+/);
  refused({ l2: 0.02 }, /shrinks the weights to 0\.0\d+/);
  const steep = { schedule: "constant", rate: 8 };
  refused({ score_range: 2, steps: 40, learning_rate: steep }, /% of the rehearsal's sums|moves scores by/);
  refused({ learning_rate: { schedule: "list", rates: [1, 0.0001] } }, /smallest rate/);
});

Deno.test("simulated noise of weights is that of the formula", () => {
  const spec = parseTrainingSpec({ ...base, steps: 40 });
  const quiet = simulateTraining(spec, wdbc.train, { noise: false }).weights.first[0];
  const ratios: number[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const noisy = simulateTraining(spec, wdbc.train, { seed: new Uint8Array(32).fill(seed) }).weights.first[0];
    ratios.push(...noisy.subarray(0, 30).map((w, f) => (w - quiet[f]) ** 2));
  }
  const measured = Math.sqrt(ratios.reduce((sum, x) => sum + x, 0) / ratios.length);
  const { feature } = weightNoise(spec, squaresOf(spec, wdbc.train));
  assert.ok(measured < feature && measured > feature / 5, `${measured} measured, ${feature} by the formula`);
});
