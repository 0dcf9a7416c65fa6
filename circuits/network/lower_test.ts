import assert from "node:assert/strict";
import { NetworkBuilder, squareWindow, TEST_NETWORKS } from "./test_networks.ts";
import { runClear } from "./clear.ts";
import { lower } from "./lower.ts";
import { outputCount, type Program } from "./program.ts";

function scores(program: Program, row: number[]): number[][] {
  const elements = runClear(program, row);
  return program.outputs.map((output) => [...output.elements].map((element) => elements[element]));
}

function near(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${i}: ${value}, not ${expected[i]}`));
}

Deno.test("a sum and the activation that alone reads it become one step", () => {
  const { model } = TEST_NETWORKS["a perceptron with one hidden layer"]();
  const program = lower(model);
  assert.deepEqual(program.steps.map(({ activation }) => activation?.name), ["relu", undefined]);
  assert.equal(program.elementCount, 12 + 16 + 3);
});

Deno.test("a sum that others read too keeps its own step", () => {
  const b = new NetworkBuilder([4]);
  const sum = b.dense(0, 4);
  const program = lower(b.model(b.add(sum, b.activation(sum))));
  assert.deepEqual(program.steps.map(({ activation }) => activation?.name), [undefined, "relu", undefined]);
  const [[...out]] = scores(program, [1, 2, 3, 4]);
  const inner = runClear(program, [1, 2, 3, 4]).subarray(4, 8);
  near(out, [...inner].map((value) => value + Math.max(0, value)));
});

Deno.test("maximum pooling is exact in clear, also where windows overlap the padding", () => {
  const b = new NetworkBuilder([1, 5, 5]);
  const program = lower(b.model(b.maxPool(0, squareWindow(3, 2, 1))));
  const row = b.rows(1)[0];
  const expected: number[] = [];
  for (const y of [0, 2, 4]) {
    for (const x of [0, 2, 4]) {
      const cells = [-1, 0, 1].flatMap((i) => [-1, 0, 1].map((j) => [y + i, x + j]));
      const inside = cells.filter(([i, j]) => i >= 0 && i < 5 && j >= 0 && j < 5);
      expected.push(Math.max(...inside.map(([i, j]) => row[i * 5 + j])));
    }
  }
  near(scores(program, row)[0], expected);
});

Deno.test("a maximum over a window of four costs three lookups", () => {
  const b = new NetworkBuilder([1, 4, 4]);
  const program = lower(b.model(b.maxPool(0, squareWindow(2, 2))));
  const lookups = program.steps.filter(({ activation }) => activation).map(({ sum }) => outputCount(sum));
  assert.equal(lookups.reduce((a, b) => a + b, 0), 3 * 4);
});

Deno.test("average pooling that leaves padding out of the mean divides by the cells inside", () => {
  const b = new NetworkBuilder([1, 4, 4]);
  const model = b.model(b.averagePool(0, squareWindow(3, 1, 1)));
  const layers = model.layers.map((layer) => ({ ...layer, countPadding: false })) as typeof model.layers;
  const row = b.rows(1)[0];
  const [values] = scores(lower({ ...model, layers }), row);
  near([values[0]], [(row[0] + row[1] + row[4] + row[5]) / 4]);
  near([values[1]], [(row[0] + row[1] + row[2] + row[4] + row[5] + row[6]) / 6]);
});

Deno.test("average pooling whose border windows have too many sizes is refused by name", () => {
  const b = new NetworkBuilder([1, 12, 12]);
  const model = b.model(b.averagePool(0, squareWindow(7, 1, 3)));
  const layers = model.layers.map((layer) => ({ ...layer, countPadding: false })) as typeof model.layers;
  assert.throws(() => lower({ ...model, layers }), { code: "model_refused", message: /average_pool 0/ });
});
