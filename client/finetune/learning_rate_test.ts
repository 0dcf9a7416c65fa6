import assert from "node:assert/strict";
import { learningRate } from "./learning_rate.ts";

Deno.test("the rate rises to the peak over the warm-up, then falls along a line to zero", () => {
  const options = { peak: 1, steps: 6, warmUp: 2 };
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 9].map((step) => learningRate(options, step)), [
    0.5,
    1,
    1,
    0.75,
    0.5,
    0.25,
    0,
    0,
  ]);
});

Deno.test("a cosine falls through half of the peak in the middle; a constant stays", () => {
  const rate = (decay: "cosine" | "constant", step: number) => learningRate({ peak: 2, steps: 10, decay }, step);
  assert.deepEqual([0, 5, 10].map((step) => Math.round(1e9 * rate("cosine", step)) / 1e9), [2, 1, 0]);
  assert.equal(rate("constant", 9), 2);
});
