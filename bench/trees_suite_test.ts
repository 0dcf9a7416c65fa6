import assert from "node:assert/strict";
import type { Measured } from "./measure_model.ts";
import { parseFigures } from "./programs.ts";
import type { Result } from "./results.ts";
import { addModel } from "./trees_suite.ts";

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

function collect(peer?: ReturnType<typeof parseFigures>): Map<string, Result> {
  const results = new Map<string, Result>();
  const add = (result: Result) => void results.set(result.name, result);
  addModel({ quick: true, peers: peer !== undefined, log: () => {}, add }, "trees.some", measured, peer);
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
