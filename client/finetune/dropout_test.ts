import assert from "node:assert/strict";
import { applyDropout } from "./dropout.ts";
import { SeededSource } from "./seeded.ts";

Deno.test("dropout zeroes its rate of elements, keeps the mean, and is the same for the same seed", () => {
  const ones = new Float32Array(40_000).fill(1);
  const mask = (seed: number) => applyDropout(ones, { rate: 0.25, seed }, new Float32Array(ones.length));
  const first = mask(1);
  const zeros = first.filter((value) => value === 0).length;
  // Binomial: a deviation of 87; five of them.
  assert.ok(Math.abs(zeros - 10_000) < 435, `${zeros} of 40000 are zero`);
  assert.ok(first.every((value) => value === 0 || value === Math.fround(4 / 3)));
  assert.deepEqual(mask(1), first);
  const second = mask(2);
  const both = first.filter((value, i) => value === 0 && second[i] === 0).length;
  assert.ok(Math.abs(both - 2_500) < 245, `${both} of 40000 are zero in both masks`);
});

Deno.test("seeded numbers have the moments of their distributions", () => {
  const source = new SeededSource(9);
  const uniform = Array.from({ length: 20_000 }, () => source.uniform());
  const normal = Array.from({ length: 20_000 }, () => source.normal());
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  assert.ok(uniform.every((value) => value >= 0 && value < 1));
  assert.ok(Math.abs(mean(uniform) - 0.5) < 0.0103);
  assert.ok(Math.abs(mean(normal)) < 0.036);
  assert.ok(Math.abs(mean(normal.map((value) => value * value)) - 1) < 0.05);
});
