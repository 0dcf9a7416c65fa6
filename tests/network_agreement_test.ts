/**
 * Encrypted networks against their simulation, layer by layer: the errors of encrypted sums, measured against the integer circuit without
 * noise, must be distributed as the simulated ones. Sums of a step share the lookups that they add and the key, so their errors are not
 * independent: means and deviations are compared with those of 40 simulated keys, within 6 deviations of either (and 10 % for the
 * deviation), and the distributions about their means by the distance of Kolmogorov and Smirnov with those of every single key: it must
 * be no larger than the largest between two simulated keys, and a half of it.
 */
import assert from "node:assert/strict";
import { planNetwork } from "../circuits/network/mod.ts";
import { TEST_NETWORKS } from "../circuits/network/test_networks.ts";
import { openBackend } from "../ffi/mod.ts";
import { distance, encryptedTrace, errors, moments, simulatedTrace } from "./support/network_trace.ts";

/** Keys that are simulated. */
const KEYS = 40;

function requireSame(name: string, encrypted: readonly number[], keys: readonly (readonly number[])[]): void {
  const e = moments(encrypted);
  const all = keys.map(moments);
  const [means, deviations] = [moments(all.map(({ mean }) => mean)), moments(all.map(({ deviation }) => deviation))];
  const where = `${name}: encrypted ${JSON.stringify(e)}, simulated means ${JSON.stringify(means)}, deviations ` +
    `${JSON.stringify(deviations)}, ${encrypted.length} values`;
  assert.ok(Math.abs(e.mean - means.mean) < 6 * means.deviation, where);
  assert.ok(Math.abs(e.deviation - deviations.mean) < 6 * deviations.deviation + 0.1 * deviations.mean, where);
  const about = (values: readonly number[]) => {
    const { mean } = moments(values);
    return values.map((value) => value - mean);
  };
  const centred = keys.map(about);
  const own = Math.max(...centred.slice(1).map((key, i) => distance(key, centred[i])));
  const found = Math.min(...centred.map((key) => distance(about(encrypted), key)));
  assert.ok(found <= 1.5 * own, `${where}: distance ${found}, of keys among themselves ${own}`);
}

const CASES: [keyof typeof TEST_NETWORKS, number][] = [
  ["a perceptron with one hidden layer", 40],
  ["a convolution with stride, padding and groups", 4],
  ["maximum pooling", 6],
  ["a residual block", 2],
];

for (const [name, rowCount] of CASES) {
  Deno.test(`the encrypted sums of ${name} err as the simulation says, step by step`, async () => {
    const backend = openBackend();
    try {
      const { builder, model } = TEST_NETWORKS[name]();
      const plan = planNetwork(model, builder.rows(200), await backend.networkCosts());
      const rows = builder.rows(rowCount, 23);
      const exact = simulatedTrace(plan, rows, false);
      const simulated = Array.from({ length: KEYS }, (_, i) => simulatedTrace(plan, rows, true, Infinity, i + 1));
      const encrypted = await encryptedTrace(backend, plan, rows);
      assert.deepEqual([...encrypted.keys()], [...exact.keys()]);
      for (const [index, sums] of exact) {
        const step = plan.circuit.steps[index].name;
        requireSame(
          step,
          errors(encrypted.get(index)!, sums),
          simulated.map((trace) => errors(trace.get(index)!, sums)),
        );
      }
    } finally {
      backend.close();
    }
  });
}
