import assert from "node:assert/strict";
import { AdamW, clipGradients } from "./adam_w.ts";

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);
}

Deno.test("two steps of AdamW are those computed by hand", () => {
  const parameter = { name: "w", values: Float64Array.of(2), gradient: Float64Array.of(0.5) };
  const optimiser = new AdamW([parameter], { beta1: 0.9, beta2: 0.99, epsilon: 0, weightDecay: 0.1 });
  optimiser.step(0.01);
  // m = 0.05, v = 0.0025; corrected 0.5 and 0.25: a change of exactly 1.
  assertNear(parameter.values[0], 2 * (1 - 0.001) - 0.01);
  parameter.gradient[0] = -1;
  optimiser.step(0.01);
  // m = 0.9 * 0.05 - 0.1 = -0.055, v = 0.99 * 0.0025 + 0.01 = 0.012475; corrected by 0.19 and 0.0199.
  const change = (-0.055 / 0.19) / Math.sqrt(0.012475 / 0.0199);
  assertNear(parameter.values[0], 1.988 * (1 - 0.001) - 0.01 * change);
  assert.equal(optimiser.steps, 2);
});

Deno.test("a parameter without gradient only decays", () => {
  const parameter = { name: "w", values: Float32Array.of(1), gradient: Float32Array.of(0) };
  new AdamW([parameter], { weightDecay: 0.5 }).step(0.5);
  assert.equal(parameter.values[0], 0.75);
});

Deno.test("clipping scales all gradients to the common norm, and leaves smaller ones", () => {
  const gradients = [Float32Array.of(3, 0), Float32Array.of(4)];
  const parameters = gradients.map((gradient, i) => ({ name: `${i}`, values: gradient, gradient }));
  assert.equal(clipGradients(parameters, 10), 5);
  assert.deepEqual([...gradients[0], ...gradients[1]], [3, 0, 4]);
  assert.equal(clipGradients(parameters, 2.5), 5);
  assert.deepEqual([...gradients[0], ...gradients[1]], [1.5, 0, 2]);
});

Deno.test("a gradient that is not a number is named instead of spoiling the adapters", () => {
  const gradient = Float32Array.of(1, NaN);
  assert.throws(() => clipGradients([{ name: "w", values: gradient, gradient }], 1), { code: "backend_failed" });
});
