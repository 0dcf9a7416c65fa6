/**
 * Encrypted networks against their simulation, layer by layer: the errors of encrypted sums, measured against the integer circuit without
 * noise, must be distributed as the simulated ones. Tolerance: deviations within 25 % and 5 standard errors, means within 5 standard
 * errors, and a Kolmogorov-Smirnov distance that two equal distributions exceed once in 10^6.
 */
import assert from "node:assert/strict";
import { planNetwork } from "../circuits/network/mod.ts";
import { TEST_NETWORKS } from "../circuits/network/test_networks.ts";
import { openBackend } from "../ffi/mod.ts";
import { distance, encryptedTrace, errors, moments, simulatedTrace } from "./support/network_trace.ts";

/** Times that the noise is simulated. */
const SIMULATIONS = 20;

function requireSame(name: string, encrypted: readonly number[], simulated: readonly number[]): void {
  const [e, s] = [moments(encrypted), moments(simulated)];
  const where = `${name}: encrypted ${JSON.stringify(e)}, simulated ${JSON.stringify(s)}, ${encrypted.length} values`;
  const ratio = Math.abs(Math.log(e.deviation / s.deviation));
  assert.ok(ratio < Math.log(1.25) + 5 / Math.sqrt(2 * encrypted.length), where);
  assert.ok(Math.abs(e.mean - s.mean) < 5 * s.deviation / Math.sqrt(encrypted.length), where);
  const samples = 1 / encrypted.length + 1 / simulated.length;
  const limit = Math.sqrt(-Math.log(1e-6 / 2) / 2 * samples);
  assert.ok(distance(encrypted, simulated) < limit, `${where}: distance ${distance(encrypted, simulated)} of ${limit}`);
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
      const repeated = Array.from({ length: SIMULATIONS }, () => rows).flat();
      const simulated = simulatedTrace(plan, repeated, true);
      const encrypted = await encryptedTrace(backend, plan, rows);
      assert.deepEqual([...encrypted.keys()], [...exact.keys()]);
      for (const [index, sums] of exact) {
        const step = plan.circuit.steps[index].name;
        const everySum = Array.from({ length: SIMULATIONS }, () => sums).flat();
        requireSame(step, errors(encrypted.get(index)!, sums), errors(simulated.get(index)!, everySum));
      }
    } finally {
      backend.close();
    }
  });
}
