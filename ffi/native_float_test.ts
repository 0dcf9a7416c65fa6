import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttentionShape, Floats } from "../circuits/finetune/float_kernels.ts";
import { PlainFloat } from "../circuits/finetune/plain_float.ts";
import { SottoError } from "../errors.ts";
import { type NativeFloatKernels, openFloatKernels } from "./native_float.ts";

const plain = new PlainFloat(32);

/** Every back end that this processor runs. */
function backends(): NativeFloatKernels[] {
  return ["portable", "avx2", "avx512ifma"].flatMap((backend) => {
    try {
      return [openFloatKernels({ backend, threads: 3 })];
    } catch (error) {
      if (error instanceof SottoError && error.code === "configuration_invalid") return [];
      throw error;
    }
  });
}

/** Deterministic values in [-1, 1). */
function values(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function assertClose(actual: Floats, expected: Floats, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `element ${i}: ${actual[i]}, expected ${expected[i]}`);
  }
}

const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(96, 97, 129, 193, 257, 300));

Deno.test("float products of any shape and transposition equal the plain ones", async () => {
  for (const native of backends()) {
    await fc.assert(
      fc.asyncProperty(size, size, size, fc.boolean(), fc.boolean(), fc.nat(), async (m, n, k, ta, tb, seed) => {
        const left = { data: values(m * k, seed), columns: ta ? m : k, transposed: ta };
        const right = { data: values(k * n, seed + 1), columns: tb ? k : n, transposed: tb };
        const product = { rows: m, columns: n, depth: k, left, right, alpha: 0.5, beta: seed % 2 };
        const [actual, expected] = [values(m * n, seed + 2), values(m * n, seed + 2)];
        await native.gemm({ ...product, out: actual });
        await plain.gemm({ ...product, out: expected });
        assertClose(actual, expected, 2e-6 * (k + 1));
      }),
      { numRuns: 25 },
    );
    native.close();
  }
});

Deno.test("a float product does not depend on the number of threads", async () => {
  const [left, right] = [values(500 * 300, 1), values(300 * 400, 2)];
  const results = await Promise.all([1, 2, 5].map(async (threads) => {
    using native = openFloatKernels({ threads });
    const out = native.zeros(500 * 400);
    await native.gemm({
      rows: 500,
      columns: 400,
      depth: 300,
      left: { data: left, columns: 300 },
      right: { data: right, columns: 400 },
      out,
    });
    return out;
  }));
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});

Deno.test("a product with nothing to sum is beta times what was there", async () => {
  using native = openFloatKernels();
  const [out, empty] = [Float32Array.of(1, 2), new Float32Array(0)];
  const factor = { data: empty, columns: 0 };
  await native.gemm({ rows: 1, columns: 2, depth: 0, left: factor, right: { data: empty, columns: 2 }, out, beta: 3 });
  assert.deepEqual([...out], [3, 6]);
});

Deno.test("attention and its gradient equal the plain ones, sequences of any lengths, keys shared by heads", async () => {
  for (const native of backends()) {
    for (const lengths of [[[1, 1]], [[5, 5], [140, 140], [3, 3]], [[2, 150], [129, 257]]]) {
      const shape = attentionShape(lengths, { heads: 4, kvHeads: 2, headSize: 12 });
      const [queries, keys] = [shape.queryStarts.at(-1)! * 48, shape.keyStarts.at(-1)! * 24];
      const inputs = { query: values(queries, 1), key: values(keys, 2), value: values(keys, 3) };
      const [actual, expected] = [await native.attention(shape, inputs), await plain.attention(shape, inputs)];
      assertClose(actual.out, expected.out, 2e-6);
      assertClose(actual.logSums, expected.logSums, 2e-6);
      const gradient = values(queries, 4);
      const backward = await native.attentionGradient(shape, inputs, actual, gradient);
      const reference = await plain.attentionGradient(shape, inputs, expected, gradient);
      for (const name of ["query", "key", "value"] as const) assertClose(backward[name], reference[name], 2e-5);
    }
    native.close();
  }
});

function attentionShape(lengths: number[][], heads: Pick<AttentionShape, "heads" | "kvHeads" | "headSize">) {
  const starts = (of: number) => lengths.reduce((all, pair) => [...all, all.at(-1)! + pair[of]], [0]);
  return { ...heads, queryStarts: Uint32Array.from(starts(0)), keyStarts: Uint32Array.from(starts(1)) };
}

Deno.test("cross-entropy and its gradient equal the plain ones, ignored labels cost nothing", async () => {
  for (const native of backends()) {
    for (const vocabulary of [1, 17, 515]) {
      const logits = values(7 * vocabulary, 5).map((x) => 30 * x);
      const labels = Int32Array.from([0, -100, vocabulary - 1, 0, -1, 0, vocabulary >> 1]);
      const expectedGradient = logits.slice();
      const expected = await plain.crossEntropy(expectedGradient, labels, vocabulary, 0.25);
      assertClose(await native.crossEntropy(logits, labels, vocabulary), expected, 1e-5);
      assertClose(await native.crossEntropy(logits, labels, vocabulary, 0.25), expected, 1e-5);
      assertClose(logits, expectedGradient, 1e-6);
    }
    native.close();
  }
});

Deno.test("the gated unit and its gradient equal the plain ones", async () => {
  for (const native of backends()) {
    for (const count of [1, 15, 100_003]) {
      const [gate, up, gradient] = [values(count, 1).map((x) => 20 * x), values(count, 2), values(count, 3)];
      assertClose(await native.swiglu(gate, up), await plain.swiglu(gate, up), 1e-5);
      const [actual, expected] = [
        await native.swigluGradient(gradient, gate, up),
        await plain.swigluGradient(gradient, gate, up),
      ];
      actual.forEach((array, i) => assertClose(array, expected[i], 1e-5));
    }
    const extreme = await native.swiglu(Float32Array.of(-1e30, 1e30, 0), Float32Array.of(1, 1, 1));
    assertClose(extreme, Float32Array.of(0, 1e30, 0), 1e-6);
    native.close();
  }
});

Deno.test("exponents far apart neither overflow nor become NaN", async () => {
  using native = openFloatKernels();
  const logits = Float32Array.of(-1e30, 1000, 999, -3e38);
  const [loss] = await native.crossEntropy(logits, Int32Array.of(1), 4, 1);
  assert.ok(Math.abs(loss - Math.log(1 + Math.exp(-1))) < 1e-6);
  assertClose(logits, Float32Array.of(0, Math.E / (1 + Math.E) - 1, 1 / (1 + Math.E), 0), 1e-6);
});

Deno.test("arrays that do not fit the shape are refused before anything is read", async () => {
  using native = openFloatKernels();
  const factor = { data: new Float32Array(6), columns: 3 };
  const product = { rows: 2, columns: 2, depth: 3, left: factor, right: { data: new Float32Array(5), columns: 2 } };
  await assert.rejects(native.gemm({ ...product, out: new Float32Array(4) }), { code: "backend_failed" });
  const shape = attentionShape([[2, 1]], { heads: 1, kvHeads: 1, headSize: 2 });
  const inputs = { query: new Float32Array(4), key: new Float32Array(2), value: new Float32Array(2) };
  await assert.rejects(native.attention(shape, inputs), { code: "backend_failed" });
  await assert.rejects(native.crossEntropy(new Float32Array(4), Int32Array.of(4), 4), { code: "backend_failed" });
  await assert.rejects(native.gemm({ ...product, out: new Float64Array(4) }), { code: "backend_failed" });
});
