import assert from "node:assert/strict";
import type { MeasuredNetwork } from "./measure_network.ts";
import { addNetwork, requireAccuracy } from "./network_suite.ts";
import { parseFigures } from "./programs.ts";
import type { Result } from "./results.ts";

const measured: MeasuredNetwork = {
  threads: 1,
  rowCount: 143,
  secondsPerRow: 0.2,
  secondsSingle: 0.4,
  planMs: 50,
  plan: {
    failure_log2: -70,
    noise_log2: 20,
    products_per_row: 1024,
    keyswitches_per_row: 1,
    server_ms_per_row: 250,
    upload_bytes_per_row: 8000,
    answer_bytes_per_row: 6000,
    lookups_per_row: 32,
    multiply_adds_per_row: 1024,
    memory_bytes: 1e8,
    rows_together: 8,
    key_bytes: 22e6,
  },
  accuracy: 0.965,
  agreement: 1,
  floatAccuracy: 0.965,
  simulatedAccuracy: 0.96,
  scoreError: 0.02,
  simulatedScoreError: 0.015,
};

function collect(...peers: [string, string][]): Map<string, Result> {
  const results = new Map<string, Result>();
  const add = (result: Result) => void results.set(result.name, result);
  const figures = new Map(peers.map(([name, lines]) => [name, parseFigures(lines)]));
  addNetwork({ quick: true, peers: peers.length > 0, lookups: 0, log: () => {}, add }, "network.n", measured, figures);
  return results;
}

const lines = (ms: number) =>
  `run_ms ${ms} ms\naccuracy 0.8\nfloat_accuracy 0.97\nupload_bytes 984\nanswer_bytes 33048\nkey_bytes 11000000`;

Deno.test("a network's figures are its times, accuracies, lookups and bytes", () => {
  const values = [...collect().values()].map(({ name, value }) => [name.replace("network.n.", ""), value]);
  assert.deepEqual(Object.fromEntries(values), {
    s_per_row: 0.2,
    single_row_s: 0.4,
    planned_s_per_row: 0.25,
    threads: 1,
    rows: 143,
    accuracy: 0.965,
    float_accuracy: 0.965,
    simulated_accuracy: 0.96,
    agreement: 1,
    score_error: 0.02,
    simulated_score_error: 0.015,
    plan_ms: 50,
    lookups_per_row: 32,
    upload_bytes_per_row: 8000,
    answer_bytes_per_row: 6000,
    key_bytes: 22e6,
  });
});

Deno.test("the first peer's time, in seconds, stands beside the network's, and every peer's own follows", () => {
  const results = collect(["three", lines(1000)], ["four", lines(2500)]);
  assert.equal(results.get("network.n.s_per_row")?.ratio, 0.2);
  assert.equal(results.get("network.n.single_row_s")?.ratio, 0.4);
  assert.match(results.get("network.n.s_per_row")!.peer!.name, /three$/);
  assert.equal(results.get("network.n.key_bytes")?.ratio, 2);
  assert.equal(results.get("network.n.concrete_ml.three.s_per_row")?.value, 1);
  assert.equal(results.get("network.n.concrete_ml.four.s_per_row")?.value, 2.5);
  assert.equal(results.get("network.n.concrete_ml.four.accuracy")?.value, 0.8);
});

Deno.test("encrypted scores far from what the simulation says fail the run and name the network", () => {
  requireAccuracy({ name: "n" }, measured);
  assert.throws(() => requireAccuracy({ name: "n" }, { ...measured, scoreError: 0.05 }), /^SottoError: n: .*0\.05/);
});
