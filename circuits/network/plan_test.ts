import assert from "node:assert/strict";
import { networkDescriptionSchema } from "../description.ts";
import { plainBackend } from "../plain.ts";
import { planNetwork } from "./mod.ts";
import { encodeNetworkRows } from "./rows.ts";
import { Simulation } from "./simulate.ts";
import { NetworkBuilder, squareWindow, TEST_NETWORKS } from "./test_networks.ts";

const costs = await plainBackend().networkCosts();

for (const [name, make] of Object.entries(TEST_NETWORKS)) {
  Deno.test(`the description of ${name} passes its schema and its scores keep within a tenth of the float network`, () => {
    const { builder, model } = make();
    const { description } = planNetwork(model, builder.rows(200), costs, { reportRows: 100 });
    assert.deepEqual(networkDescriptionSchema.parse(description), description);
    assert.ok(description.plan.failure_log2 <= -64);
    assert.ok(description.report.simulated_error < 0.1, `${description.report.simulated_error}`);
    assert.equal(description.report.rows, 100);
  });
}

Deno.test("integer weights use the whole int8 range and never leave it", () => {
  for (const make of Object.values(TEST_NETWORKS)) {
    const { builder, model } = make();
    for (const { layer } of planNetwork(model, builder.rows(100), costs).circuit.steps) {
      assert.ok(layer.weights.every((weight) => Math.abs(weight) <= 127));
      assert.ok(layer.weights.some((weight) => weight !== 0));
    }
  }
});

Deno.test("a plan made again from the same model and rows is the same plan", () => {
  const { builder, model } = TEST_NETWORKS["a residual block"]();
  const rows = builder.rows(80);
  assert.deepEqual(planNetwork(model, rows, costs), planNetwork(model, rows, costs));
});

Deno.test("the same seed simulates the same noise, another seed another", () => {
  const { builder, model } = TEST_NETWORKS["a perceptron with one hidden layer"]();
  const { circuit } = planNetwork(model, builder.rows(100), costs);
  const [row] = builder.rows(1, 3);
  const run = (byte: number) => new Simulation(circuit, { seed: new Uint8Array(32).fill(byte) }).scores(row);
  assert.deepEqual(run(1), run(1));
  assert.notDeepEqual(run(1), run(2));
});

Deno.test("sums of sums of sums are looked up unchanged where they would lose their precision", () => {
  const b = new NetworkBuilder([1, 8, 8]);
  const first = b.maxPool(b.activation(b.convolution(0, 2, squareWindow(3))), squareWindow(3, 1, 1));
  const twice = b.averagePool(b.averagePool(first, squareWindow(3, 1, 1)), squareWindow(3, 1, 1));
  const model = b.model(b.dense(b.maxPool(twice, squareWindow(3, 3)), 3));
  const { description } = planNetwork(model, b.rows(100), costs);
  assert.ok(description.report.layers.some(({ activation }) => activation === "identity"));
  assert.ok(description.report.simulated_error < 0.15, `${description.report.simulated_error}`);
});

const refusals: Record<string, { run: () => unknown; message: RegExp }> = {
  "no calibration rows": {
    run: () => planNetwork(TEST_NETWORKS["a residual block"]().model, [], costs),
    message: /calibration rows/,
  },
  "calibration rows of another width": {
    run: () => planNetwork(TEST_NETWORKS["a residual block"]().model, [[1, 2]], costs),
    message: /row 1 has 2 values, the network takes 50/,
  },
  "more outputs than an answer holds": {
    run: () => {
      const b = new NetworkBuilder([4]);
      return planNetwork(b.model(b.dense(0, 3000)), b.rows(4), costs);
    },
    message: /3000 outputs, one answer holds 2048/,
  },
  "not enough memory": {
    run: () => {
      const { builder, model } = TEST_NETWORKS["a residual block"]();
      return planNetwork(model, builder.rows(9), costs, { maxMemoryBytes: 1e6 });
    },
    message: /needs \d+ MiB a run and may take 1 MiB; its widest layer is "convolution 0" with 100 values/,
  },
  "a margin that leaves no room for noise": {
    run: () => {
      const { builder, model } = TEST_NETWORKS["a perceptron with one hidden layer"]();
      return planNetwork(model, builder.rows(9), costs, { margin: 1.0001 });
    },
    message:
      /layer "dense 0": noise moves a sum out of its table with probability 2\^-?\d+\.\d a row, the limit is 2\^-64/,
  },
};
for (const [what, { run, message }] of Object.entries(refusals)) {
  Deno.test(`${what} is refused with the layer and the number`, () => {
    assert.throws(run, { code: "model_refused", message });
  });
}

Deno.test("a value outside of the calibrated range is refused by row and feature, or clipped on request", () => {
  const { builder, model } = TEST_NETWORKS["a perceptron with one hidden layer"]();
  const { description } = planNetwork(model, builder.rows(100), costs);
  const row = builder.rows(1)[0].with(3, 1e6);
  assert.throws(() => encodeNetworkRows(description, [row]), {
    code: "rows_refused",
    message: /row 1: f3 is 1000000, the network was calibrated for/,
  });
  const clipped = encodeNetworkRows(description, [row], "clip");
  assert.equal(clipped[3], Math.round(description.features[3].high * description.features[3].scale));
  assert.throws(() => encodeNetworkRows(description, [row.slice(1)]), { code: "rows_refused", message: /11 cells/ });
});
