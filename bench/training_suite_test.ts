import assert from "node:assert/strict";
import { planTraining } from "../circuits/training/mod.ts";
import { plainBackend } from "../circuits/plain.ts";
import type { MeasuredTraining } from "./measure_training.ts";
import { parseFigures } from "./programs.ts";
import type { Result } from "./results.ts";
import { loadTraining, TRAININGS } from "./training_models.ts";
import { addTraining, requireAgreement } from "./training_suite.ts";

const plain = plainBackend();
const costs = { network: await plain.networkCosts(), training: await plain.training.costs(), threads: 2 };
const measured: MeasuredTraining = {
  seconds: [0.1, 0.3, 0.2],
  quality: 0.98,
  floatQuality: 0.99,
  simulatedQuality: 0.97,
  noiseRatio: 0.8,
  finalNoiseRatio: 0.2,
  secondLayerRatio: 0,
};

function collect(name: string, runs: readonly MeasuredTraining[], peer?: string): Map<string, Result> {
  const results = new Map<string, Result>();
  const add = (result: Result) => void results.set(result.name.replace(`training.${name}.`, ""), result);
  const run = { quick: true, peers: peer !== undefined, lookups: 0, log: () => {}, add };
  const entry = TRAININGS.find((one) => one.name === name)!;
  const { spec, train } = loadTraining(entry, entry.quick.steps, 0);
  const plan = planTraining(spec, train.rows.length, costs, train);
  const figures = { entry, size: entry.quick, plan, threads: 2, runs: new Map(runs.entries()) };
  addTraining(run, figures, peer === undefined ? undefined : parseFigures(peer));
  return results;
}

Deno.test("a training's figures are the median of its steps and the means over its seeds, each seed's own beside", () => {
  const results = collect("logistic-wdbc", [measured, {
    ...measured,
    quality: 0.96,
    seconds: [0.4, 0.5],
    noiseRatio: 1,
  }]);
  const value = (name: string) => results.get(name)!.value;
  assert.equal(value("s_per_batch"), 0.3);
  assert.equal(value("best_s_per_batch"), 0.1);
  assert.equal(value("accuracy"), 0.97);
  assert.equal(value("float_accuracy"), 0.99);
  assert.equal(value("simulated_accuracy"), 0.97);
  assert.equal(value("seed1.accuracy"), 0.96);
  assert.equal(value("noise_ratio"), 1);
  assert.equal(value("final_noise_ratio"), 0.2);
  assert.equal(value("lookups_per_batch"), 8);
  assert.ok(!results.has("second_layer_noise_ratio"));
});

Deno.test("the peer's iteration, in seconds, stands beside the time of a batch", () => {
  const peer = "iteration_ms 120000 ms\naccuracy 0.9\nfloat_accuracy 0.98\nkey_bytes 279000000";
  const results = collect("logistic-wdbc", [measured], peer);
  assert.equal(results.get("s_per_batch")?.peer?.value, 120);
  assert.equal(results.get("accuracy")?.peer?.value, 0.9);
  assert.match(results.get("s_per_batch")!.peer!.name, /SGDClassifier$/);
});

Deno.test("a network with steps that were not encrypted has the accuracy of its simulation, a regression has R^2", () => {
  const network = collect("mlp-wdbc", [{ ...measured, quality: undefined, secondLayerRatio: 1.1 }]);
  assert.equal(network.get("accuracy")?.value, 0.97);
  assert.equal(network.get("second_layer_noise_ratio")?.value, 1.1);
  assert.equal(network.get("encrypted_steps")?.value, 1);
  const regression = collect("linear-diabetes", [measured]);
  assert.equal(regression.get("r2")?.value, 0.98);
  assert.ok(!regression.has("accuracy") && !regression.has("seed0.r2"));
});

Deno.test("weights beyond their noise fail the run and name the training", () => {
  requireAgreement({ name: "n" }, measured);
  assert.throws(() => requireAgreement({ name: "n" }, { ...measured, noiseRatio: 3.5 }), /^SottoError: n: .* 3\.5 of/);
  assert.throws(() => requireAgreement({ name: "n" }, { ...measured, secondLayerRatio: 4 }), /^SottoError: n: .*4 of/);
});
