import assert from "node:assert/strict";
import type { Measured } from "./measure_model.ts";
import { parseFigures } from "./programs.ts";
import type { Result } from "./results.ts";
import { addModel, addScore } from "./trees_suite.ts";

const measured: Measured = {
  msPerRow: [3, 2, 4],
  medianMsPerRow: 3,
  bestMsPerRow: 2,
  plannedMsPerRow: 2.5,
  floorMsPerRow: 1.5,
  transformsPerRow: 600,
  uploadBytesPerRow: 12320,
  answerBytesPerRow: 8080,
  agreement: 1,
};

const NETWORK_PLAN = {
  failure_log2: -70,
  noise_log2: 20,
  products_per_row: 0,
  keyswitches_per_row: 0,
  multiply_adds_per_row: 0,
  memory_bytes: 1e8,
  rows_together: 1,
};

function collect(peer?: ReturnType<typeof parseFigures>): Map<string, Result> {
  const results = new Map<string, Result>();
  const add = (result: Result) => void results.set(result.name, result);
  addModel({ quick: true, peers: peer !== undefined, lookups: 0, log: () => {}, add }, "trees.some", measured, peer);
  return results;
}

Deno.test("a model's figures are its median, best, plan, floor, bytes and agreement", () => {
  const values = [...collect().values()].map(({ name, value }) => [name.replace("trees.some.", ""), value]);
  assert.deepEqual(Object.fromEntries(values), {
    server_ms_per_row: 3,
    server_best_ms_per_row: 2,
    planned_ms_per_row: 2.5,
    transforms_per_row: 600,
    floor_ms_per_row: 1.5,
    floor_ratio: 2,
    upload_bytes_per_row: 12320,
    answer_bytes_per_row: 8080,
    agreement: 1,
  });
  assert.ok([...collect().values()].every(({ peer, ratio }) => peer === undefined && ratio === undefined));
});

Deno.test("a peer's time and bytes stand beside the model's, with their ratio", () => {
  const peer = parseFigures("run_ms 6000 ms\nrun_best_ms 4000 ms\nupload_bytes 984\nanswer_bytes 808000\nagreement 1");
  const results = collect(peer);
  assert.equal(results.get("trees.some.server_ms_per_row")?.ratio, 0.0005);
  assert.equal(results.get("trees.some.server_best_ms_per_row")?.ratio, 0.0005);
  assert.equal(results.get("trees.some.answer_bytes_per_row")?.ratio, 0.01);
  assert.equal(results.get("trees.some.floor_ratio")?.peer, undefined);
});

Deno.test("mode score is measured in seconds a row, beside the same peer", () => {
  const results = new Map<string, Result>();
  const add = (result: Result) => void results.set(result.name, result);
  const plan = {
    lookups_per_row: 150,
    server_ms_per_row: 900,
    upload_bytes_per_row: 1,
    answer_bytes_per_row: 2,
    key_bytes: 3,
  };
  const score = { secondsPerRow: 1, secondsSingle: 2, agreement: 1, plan: { ...NETWORK_PLAN, ...plan } };
  const peer = parseFigures("run_ms 8000 ms\nupload_bytes 1\nanswer_bytes 4\nkey_bytes 6\nagreement 1");
  addScore({ quick: true, peers: true, lookups: 0, log: () => {}, add }, "trees.some", score, peer);
  assert.equal(results.get("trees.some.score_s_per_row")?.ratio, 0.125);
  assert.equal(results.get("trees.some.score_single_row_s")?.value, 2);
  assert.equal(results.get("trees.some.score_planned_s_per_row")?.value, 0.9);
  assert.equal(results.get("trees.some.score_lookups_per_row")?.value, 150);
  assert.equal(results.get("trees.some.score_key_bytes")?.ratio, 0.5);
});
