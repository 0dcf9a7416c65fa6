import assert from "node:assert/strict";
import { plainBackend } from "../plain.ts";
import { decryptWeights } from "./decode.ts";
import { firstWeights } from "./first_weights.ts";
import { encryptWeights, loadWeights } from "./reload.ts";
import { parseTrainingSpec } from "./spec.ts";

const backend = plainBackend();
const key = backend.generateSecretKey();
const spec = parseTrainingSpec({
  kind: "mlp",
  classes: [0, 1, 2],
  hidden: { width: 4, activation: "relu" },
  features: Array.from({ length: 40 }, (_, f) => ({ name: `f${f}`, mean: 0, deviation: 1 })),
  batch_size: 64,
  steps: 4,
  l2: 0.1,
  learning_rate: { schedule: "constant", rate: 1 },
});

Deno.test("weights that are encrypted again are the same weights", async () => {
  const weights = firstWeights(spec);
  const state = loadWeights(backend, spec, await encryptWeights(backend, key, spec, weights, 2), 2);
  assert.equal(state.step, 2);
  const read = await decryptWeights(backend, key, spec, state);
  weights.first.forEach((row, h) => row.forEach((w, f) => assert.ok(Math.abs(w - read.first[h][f]) < 1e-5)));
  weights.second.forEach((row, c) => row.forEach((w, h) => assert.ok(Math.abs(w - read.second[c][h]) < 1e-5)));
});

Deno.test("encrypted weights of another length or step are refused", async () => {
  const records = await encryptWeights(backend, key, spec, firstWeights(spec), 0);
  assert.throws(() => loadWeights(backend, spec, records.slice(1), 0), { code: "malformed_file" });
  assert.throws(() => loadWeights(backend, spec, records, 5), { code: "malformed_file" });
});
