import assert from "node:assert/strict";
import { loadTraining, TRAININGS } from "./training_models.ts";

Deno.test("every training has its table, a name of its own, and no more encrypted steps than steps", () => {
  assert.equal(new Set(TRAININGS.map(({ name }) => name)).size, TRAININGS.length);
  for (const entry of TRAININGS) {
    for (const { steps, encryptedSteps, seeds } of [entry.full, entry.quick]) {
      assert.ok(encryptedSteps >= 1 && encryptedSteps <= steps && seeds.length >= 1, entry.name);
      const { spec, train, test } = loadTraining(entry, steps, seeds[0]);
      assert.equal(spec.kind, entry.training.kind);
      assert.equal(spec.batch_size, 8);
      assert.ok(train.rows.length > 2 * test.rows.length, entry.name);
    }
  }
});

Deno.test("adult has 14 features, 6,000 training rows, 2,000 held-out rows and two classes", () => {
  const adult = TRAININGS.find(({ name }) => name === "logistic-adult")!;
  const { spec, train, test } = loadTraining(adult, 300, 0);
  assert.equal(spec.features.length, 14);
  assert.deepEqual([train.rows.length, test.rows.length], [6000, 2000]);
  assert.deepEqual(new Set([...Array.from(train.targets), ...Array.from(test.targets)]), new Set([0, 1]));
});
