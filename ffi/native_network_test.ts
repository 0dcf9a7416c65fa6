import assert from "node:assert/strict";
import { type Backend, LWE_WORDS, PADDING } from "../circuits/backend.ts";
import { lookupKeysBytes } from "../circuits/layout.ts";
import { openBackend } from "./mod.ts";

const N = 2048;
const SCALE = 2n ** 18n;

function withBackend(run: (backend: Backend) => Promise<void>): () => Promise<void> {
  return async () => {
    const backend = openBackend({ threads: 2 });
    try {
      await run(backend);
    } finally {
      backend.close();
    }
  };
}

/** lwe of integers of the 32-bit torus, through an input record. */
async function encrypted(backend: Backend, key: ReturnType<Backend["generateSecretKey"]>, values: readonly number[]) {
  const messages = new Int32Array(N);
  messages.set(values);
  const records = await backend.encrypt(key, messages, { ciphertextCount: 1, stride: N, scale: SCALE, bits: 50 });
  const lwe = new Uint32Array(values.length * LWE_WORDS);
  const shape = { rowCount: 1, ciphertextsPerRow: 1, inputBits: 50, count: values.length, rowStride: values.length };
  await backend.expandInputs(records, shape, lwe);
  return lwe;
}

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expected.forEach((value, i) => {
    const error = (actual[i] - value) | 0;
    assert.ok(Math.abs(error) <= tolerance, `${i}: ${actual[i] | 0}, not ${value}`);
  });
}

Deno.test(
  "inputs become lwe of their coefficients",
  withBackend(async (backend) => {
    using key = backend.generateSecretKey();
    const values = [0, 1 << 20, -(1 << 28), 12345];
    near(await backend.lwePhases(key, await encrypted(backend, key, values)), values, 300);
  }),
);

Deno.test(
  "a layer adds weighted lwe and its offsets, padding counts as zero",
  withBackend(async (backend) => {
    using key = backend.generateSecretKey();
    const inputs = await encrypted(backend, key, [1000 << 10, -2000 << 10, 3000 << 10]);
    using layer = backend.createLayer({
      inputCount: 3,
      patchCount: 2,
      groupCount: 1,
      rowsPerGroup: 2,
      depth: 2,
      weights: Int8Array.of(1, 2, -3, 127),
      indices: Uint32Array.of(0, 1, PADDING, 2),
      offsets: Uint32Array.of(5 << 20, 0),
    });
    const out = new Uint32Array(4 * LWE_WORDS);
    await backend.applyLayer(layer, inputs, { rowCount: 1, rowStride: 3, firstPatch: 0, patchCount: 2 }, out);
    const expected = [1000 - 4000, -3000 - 254000, 6000, 381000].map((value) => value << 10);
    near(await backend.lwePhases(key, out), [
      expected[0] + (5 << 20),
      expected[1],
      expected[2] + (5 << 20),
      expected[3],
    ], 4e5);
    assert.ok(layer.bytes > 0);
  }),
);

Deno.test(
  "a lookup reads its table, and packed answers decrypt to what was read",
  withBackend(async (backend) => {
    using key = backend.generateSecretKey();
    using lookups = await backend.loadLookupKeys(1, await backend.generateLookupKeys(key, 1));
    assert.equal(lookups.setting, 1);
    // Sixteen slots of the half torus; the table maps slot s to (3 s + 1) mod 16.
    const slot = 2 ** 31 / 16;
    const slots = Array.from({ length: 16 }, (_, s) => s);
    const inputs = await encrypted(backend, key, slots.map((s) => s * slot + slot / 2));
    const q = Number(1125899906826241n);
    const tables = BigUint64Array.from({ length: N }, (_, i) => {
      return BigInt(Math.round(((3 * Math.floor(i / 128) + 1) % 16) * slot * (q / 2 ** 32)));
    });
    const out = new Uint32Array(inputs.length);
    await backend.lookup(lookups, inputs, tables, new Uint32Array(16), out);
    const expected = slots.map((s) => ((3 * s + 1) % 16) * slot);
    near(await backend.lwePhases(key, out), expected, 2 ** 21);
    using keys = await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key));
    const shape = { recordCount: 2, count: 8, answerBits: 24, rowStride: 8 };
    const answers = await backend.packAnswers(keys, out, shape);
    const values = await backend.decrypt(key, answers, {
      usefulCounts: [8],
      positions: Uint32Array.from({ length: 8 }, (_, i) => i * N / 8),
      bits: 24,
      recordCount: 2,
      scale: BigInt(Math.round(slot * (q / 2 ** 32))),
    });
    assert.deepEqual([...values].map((value) => (value + 16) % 16), slots.map((s) => (3 * s + 1) % 16));
  }),
);

Deno.test(
  "keys, layers and buffers that do not fit are refused",
  withBackend(async (backend) => {
    using key = backend.generateSecretKey();
    for (const setting of [1, 2, 3] as const) {
      assert.equal((await backend.generateLookupKeys(key, setting)).length, lookupKeysBytes(setting));
    }
    await assert.rejects(backend.loadLookupKeys(2, new Uint8Array(lookupKeysBytes(1))), {
      code: "malformed_file",
      message: /setting 2 have 21569568 bytes, 43073568 are needed/,
    });
    const spec = { inputCount: 2, patchCount: 1, groupCount: 1, rowsPerGroup: 1, depth: 2 };
    const parts = { weights: new Int8Array(2), indices: Uint32Array.of(0, 2), offsets: new Uint32Array(1) };
    assert.throws(() => backend.createLayer({ ...spec, ...parts }), { code: "backend_failed" });
    assert.throws(() => backend.createLayer({ ...spec, ...parts, offsets: new Uint32Array(2) }), {
      code: "backend_failed",
      message: /offsets: 2 elements, 1 are needed/,
    });
  }),
);

Deno.test(
  "a lookup that is cancelled stops and says so",
  withBackend(async (backend) => {
    using keys = await backend.loadLookupKeys(1, new Uint8Array(lookupKeysBytes(1)));
    const count = 512;
    const abort = new AbortController();
    const lwe = new Uint32Array(count * LWE_WORDS).fill(0x9e3779b1);
    const running = backend.lookup(
      keys,
      lwe,
      new BigUint64Array(N),
      new Uint32Array(count),
      new Uint32Array(lwe.length),
      { signal: abort.signal, onProgress: (progress) => progress > 0 && abort.abort() },
    );
    await assert.rejects(running, { code: "cancelled" });
  }),
);

Deno.test(
  "costs of networks are measured once",
  withBackend(async (backend) => {
    const costs = await backend.networkCosts();
    assert.equal(await backend.networkCosts(), costs);
    for (const ns of [...Object.values(costs.lookup_ns), costs.multiply_add_ns, costs.answer_ns]) assert.ok(ns > 0);
  }),
);
