import assert from "node:assert/strict";
import fc from "fast-check";
import { batchesOf, batchOrder, decaysOf, rateOf } from "./schedule.ts";
import { parseTrainingSpec } from "./spec.ts";

const features = [{ name: "a", mean: 0, deviation: 1 }];

function specOf(changes: object) {
  const learning_rate = { schedule: "constant", rate: 1 };
  return parseTrainingSpec({
    kind: "logistic",
    classes: [0, 1],
    features,
    batch_size: 8,
    steps: 10,
    learning_rate,
    ...changes,
  });
}

function rates(learning_rate: object): number[] {
  const spec = specOf({ learning_rate });
  return Array.from({ length: spec.steps }, (_, step) => rateOf(spec, step));
}

Deno.test("rates follow their schedule", () => {
  assert.deepEqual(rates({ schedule: "constant", rate: 2 }), new Array(10).fill(2));
  assert.deepEqual(rates({ schedule: "step", rate: 4, factor: 0.5, every: 4 }), [4, 4, 4, 4, 2, 2, 2, 2, 1, 1]);
  assert.deepEqual(rates({ schedule: "list", rates: [3, 2, 1] }), [3, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
  const cosine = rates({ schedule: "cosine", rate: 3, floor: 1 });
  assert.equal(cosine[0], 3);
  assert.ok(Math.abs(cosine[5] - 2) < 1e-12);
  assert.ok(cosine.every((rate, t) => t === 0 || rate < cosine[t - 1]));
});

Deno.test("l2 is the product of what each step leaves", () => {
  const decays = decaysOf(specOf({ l2: 0.1, learning_rate: { schedule: "list", rates: [1, 2, 0.5] } }));
  assert.ok(Math.abs(decays[3] - 0.9 * 0.8 * 0.95) < 1e-12);
  assert.equal(decays.length, 11);
});

Deno.test("an l2 that shrinks weights to nothing, or turns them around, is refused", () => {
  assert.throws(() => decaysOf(specOf({ l2: 0.5 })), { code: "model_refused" });
  assert.throws(() => decaysOf(specOf({ l2: 1.5, steps: 2 })), { code: "model_refused" });
});

Deno.test("every epoch sees every row, and every batch is full", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 1000 }), (rowCount, seed) => {
      const spec = specOf({ seed, steps: 60 });
      const batches = batchesOf(spec, rowCount);
      assert.equal(new Set(batches.flatMap((rows) => [...rows])).size, rowCount);
      assert.ok(batches.every((rows) => rows.length === spec.batch_size));
      const order = batchOrder(spec, batches.length);
      const epoch = [...order.subarray(0, Math.min(60, batches.length))];
      assert.equal(new Set(epoch).size, epoch.length);
      assert.equal(order.length, 60);
      assert.ok(order.every((batch) => batch < batches.length));
    }),
  );
});

Deno.test("a wrong specification is refused by the name of its field", () => {
  assert.throws(() => specOf({ batch_size: 7 }), { code: "malformed_request", message: /batch_size/ });
  assert.throws(() => specOf({ features: [] }), { code: "malformed_request", message: /features/ });
  assert.throws(() => specOf({ features: [{ name: "a", min: 2, max: 1 }] }), { code: "malformed_request" });
  assert.throws(() => specOf({ learning_rate: { schedule: "constant", rate: -1 } }), { message: /learning_rate/ });
});

Deno.test("a million steps, the most that a specification takes, have their decays", () => {
  assert.equal(decaysOf(specOf({ steps: 1_000_000 }))[1_000_000], 1);
});
