import assert from "node:assert/strict";
import type { Backend, KeyRing, LookupSetting } from "../backend.ts";
import { lweAnswerLayout } from "../layout.ts";
import { plainBackend } from "../plain.ts";
import {
  decodeNetworkAnswers,
  encodeNetworkRows,
  NETWORK_INPUT_SCALE,
  type NetworkPlan,
  NetworkRunner,
  planNetwork,
  Simulation,
} from "./mod.ts";
import { TEST_NETWORKS } from "./test_networks.ts";

const backend = plainBackend();
const costs = await backend.networkCosts();

async function keyRing(backend: Backend, plan: NetworkPlan, key: ReturnType<Backend["generateSecretKey"]>) {
  const pack = await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key));
  const settings = plan.description.capabilities.filter((name) => name !== "pack").map((name) => Number(name.at(-1)));
  const lookups: [LookupSetting, Awaited<ReturnType<Backend["loadLookupKeys"]>>][] = [];
  for (const setting of settings as LookupSetting[]) {
    lookups.push([setting, await backend.loadLookupKeys(setting, await backend.generateLookupKeys(key, setting))]);
  }
  return { pack, lookups: new Map(lookups) } satisfies KeyRing;
}

/** Real scores of rows after encryption, evaluation and decryption. */
async function scoresOf(plan: NetworkPlan, rows: number[][], onProgress?: (progress: number) => void) {
  const { description, circuit } = plan;
  using key = backend.generateSecretKey();
  const records = await backend.encrypt(key, encodeNetworkRows(description, rows), {
    ciphertextCount: rows.length * description.ciphertexts_per_row,
    stride: 2048,
    scale: NETWORK_INPUT_SCALE,
    bits: description.input_bits,
  });
  using runner = new NetworkRunner(backend, circuit, description.answer_bits);
  const keys = await keyRing(backend, plan, key);
  const answers = await runner.run(records, rows.length, keys, onProgress ? { onProgress } : {});
  const layout = lweAnswerLayout(circuit.outputElements.length, description.answer_bits);
  const phases = await backend.decrypt(key, answers, { ...layout, recordCount: rows.length, scale: 1n });
  return decodeNetworkAnswers(description, phases, rows.length);
}

for (const [name, make] of Object.entries(TEST_NETWORKS)) {
  Deno.test(`the circuit of ${name} runs on the plain back end as its simulation without noise`, async () => {
    const { builder, model } = make();
    const plan = planNetwork(model, builder.rows(60), costs);
    const rows = builder.rows(5, 11);
    const scores = await scoresOf(plan, rows);
    const simulation = new Simulation(plan.circuit, { noise: false });
    rows.forEach((row, r) => {
      const expected = simulation.scores(row);
      [...scores[r].flatMap((output) => [...output])].forEach((score, i) => {
        const answerUnit = 2 ** 32 / 2 ** plan.description.answer_bits / plan.circuit.outputScales[i];
        assert.ok(Math.abs(score - expected[i]) <= answerUnit, `row ${r}, score ${i}: ${score}, not ${expected[i]}`);
      });
    });
  });
}

Deno.test("rows that run together answer as rows alone", async () => {
  const { builder, model } = TEST_NETWORKS["a perceptron with one hidden layer"]();
  const plan = planNetwork(model, builder.rows(60), costs);
  using runner = new NetworkRunner(backend, plan.circuit, plan.description.answer_bits);
  const rows = builder.rows(runner.rowsPerRun + 3, 5);
  const together = await scoresOf(plan, rows);
  for (const r of [0, 1, rows.length - 1]) assert.deepEqual((await scoresOf(plan, [rows[r]]))[0], together[r]);
});

Deno.test("progress grows to one", async () => {
  const { builder, model } = TEST_NETWORKS["a convolution with stride, padding and groups"]();
  const plan = planNetwork(model, builder.rows(60), costs);
  const seen: number[] = [];
  await scoresOf(plan, builder.rows(2), (progress) => seen.push(progress));
  assert.ok(seen.length >= plan.circuit.steps.length);
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
  assert.equal(seen.at(-1), 1);
});

Deno.test("a run that is cancelled ends with the code cancelled", async () => {
  const { builder, model } = TEST_NETWORKS["a residual block"]();
  const plan = planNetwork(model, builder.rows(60), costs);
  using key = backend.generateSecretKey();
  using runner = new NetworkRunner(backend, plan.circuit, plan.description.answer_bits);
  const records = await backend.encrypt(key, encodeNetworkRows(plan.description, builder.rows(1)), {
    ciphertextCount: 1,
    stride: 2048,
    scale: NETWORK_INPUT_SCALE,
    bits: plan.description.input_bits,
  });
  const abort = new AbortController();
  const running = runner.run(records, 1, await keyRing(backend, plan, key), {
    signal: abort.signal,
    onProgress: (progress) => progress > 0.3 && abort.abort(),
  });
  await assert.rejects(running, { code: "cancelled" });
});
