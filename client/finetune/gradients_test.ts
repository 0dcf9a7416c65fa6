/** Every gradient against central differences, in double precision: what is left is the differences' own error, below 1e-6 of the largest entry. */
import assert from "node:assert/strict";
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { packBlock } from "./block.ts";
import { rmsNorm, rmsNormGradient } from "./rms_norm.ts";
import { rotate, rotationTable } from "./rope.ts";
import { randomFloats, tinyAdapters, tinyModel } from "./test_model.ts";

const kernels = new PlainFloat(64);
const STEP = 1e-5;

/** (f(x + h) - f(x - h)) / 2h for every entry of x. */
async function differences(x: Floats, f: () => number | Promise<number>): Promise<Float64Array> {
  const result = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const at = x[i];
    x[i] = at + STEP;
    const above = await f();
    x[i] = at - STEP;
    const below = await f();
    x[i] = at;
    result[i] = (above - below) / (2 * STEP);
  }
  return result;
}

function assertGradient(actual: Floats, expected: Float64Array, what: string): void {
  const largest = expected.reduce((most: number, value: number) => Math.max(most, Math.abs(value)), 1e-3);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(
      Math.abs(actual[i] - expected[i]) < 1e-6 * largest,
      `${what}, entry ${i}: ${actual[i]}, differences say ${expected[i]}`,
    );
  }
}

/** <weights, y>: a scalar whose gradient by y is `weights`. */
function along(weights: Floats, y: Floats): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += weights[i] * y[i];
  return sum;
}

Deno.test("the gradient of the norm is that of differences", async () => {
  const [x, weight, dy] = [randomFloats(kernels, 21, 1), randomFloats(kernels, 7, 2), randomFloats(kernels, 21, 3)];
  const gradient = kernels.zeros(21);
  rmsNormGradient(dy, x, weight, 0.1, gradient);
  assertGradient(gradient, await differences(x, () => along(dy, rmsNorm(kernels, x, weight, 0.1))), "norm");
});

Deno.test("the gradients of the gated unit are those of differences", async () => {
  const [gate, up, dy] = [1, 2, 3].map((seed) => randomFloats(kernels, 9, seed, 2));
  const [dGate, dUp] = await kernels.swigluGradient(dy, gate, up);
  assertGradient(dGate, await differences(gate, async () => along(dy, await kernels.swiglu(gate, up))), "gate");
  assertGradient(dUp, await differences(up, async () => along(dy, await kernels.swiglu(gate, up))), "up");
});

Deno.test("turning back is the gradient of turning", async () => {
  const table = rotationTable(Uint32Array.of(0, 3, 11), Float64Array.of(1, 0.1));
  const [x, dy] = [randomFloats(kernels, 24, 1), randomFloats(kernels, 24, 2)];
  const gradient = dy.slice();
  rotate(gradient, table, -1);
  const turned = () => {
    const copy = x.slice();
    rotate(copy, table);
    return along(dy, copy);
  };
  assertGradient(gradient, await differences(x, turned), "rotation");
});

Deno.test("the gradients of attention are those of differences, with shared keys, two sequences and earlier keys", async () => {
  const starts = { queryStarts: Uint32Array.of(0, 2, 5), keyStarts: Uint32Array.of(0, 4, 7) };
  const shape = { heads: 4, kvHeads: 2, headSize: 3, ...starts };
  const [query, key, value] = [
    randomFloats(kernels, 60, 1),
    randomFloats(kernels, 42, 2),
    randomFloats(kernels, 42, 3),
  ];
  const [inputs, dOut] = [{ query, key, value }, randomFloats(kernels, 60, 4)];
  const output = await kernels.attention(shape, inputs);
  const gradients = await kernels.attentionGradient(shape, inputs, output, dOut);
  for (const name of ["query", "key", "value"] as const) {
    const expected = await differences(
      inputs[name],
      async () => along(dOut, (await kernels.attention(shape, inputs)).out),
    );
    assertGradient(gradients[name], expected, name);
  }
});

Deno.test("the gradient of cross-entropy is that of differences", async () => {
  const [logits, labels] = [randomFloats(kernels, 15, 1, 2), Int32Array.of(4, -100, 0)];
  const gradient = logits.slice();
  await kernels.crossEntropy(gradient, labels, 5, 0.5);
  const loss = async () => 0.5 * (await kernels.crossEntropy(logits, labels, 5)).reduce((a, b) => a + b);
  assertGradient(gradient, await differences(logits, loss), "cross-entropy");
});

/** Two texts, the first with a prompt that is not learned. */
const block = packBlock([{ tokens: [3, 1, 4, 1, 5, 9], promptLength: 3 }, { tokens: [2, 6, 5, 3] }]);

Deno.test("the gradients of all adapters of a model are those of differences", async () => {
  const adapters = tinyAdapters(kernels);
  const model = tinyModel(kernels, { adapters });
  const { count } = await model.gradients(block);
  const loss = async () => (await model.loss(block)).sum / count;
  for (const { name, values, gradient } of adapters.parameters()) {
    assertGradient(gradient, await differences(values, loss), name);
  }
});

Deno.test("with dropout they are the gradients of the model under the same masks", async () => {
  const adapters = tinyAdapters(kernels, { modules: ["q_proj", "up_proj", "down_proj"] });
  const model = tinyModel(kernels, { adapters });
  const dropout = { rate: 0.4, seed: 77 };
  const { count } = await model.gradients(block, { dropout });
  const saved = adapters.parameters().map(({ gradient }) => gradient.slice());
  const loss = async () => (await model.gradients(block, { dropout })).sum / count;
  for (const [i, { name, values }] of adapters.parameters().entries()) {
    assertGradient(saved[i], await differences(values, loss), name);
  }
});

Deno.test("what is kept of the forward pass does not change the gradients", async () => {
  const results = [];
  for (const keep of ["inputs", "products", "all"] as const) {
    const adapters = tinyAdapters(kernels);
    await tinyModel(kernels, { adapters }).gradients(block, { keep, dropout: { rate: 0.1, seed: 3 } });
    results.push(adapters.parameters().map(({ gradient }) => gradient));
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});
