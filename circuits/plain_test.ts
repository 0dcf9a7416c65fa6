import assert from "node:assert/strict";
import { isSottoError } from "../errors.ts";
import type { LeafMatrixSpec } from "./backend.ts";
import { answerLayout, evaluationKeysBytes } from "./layout.ts";
import { plainBackend } from "./plain.ts";
import { leafOutputs } from "./plain_outputs.ts";
import { UniformSource } from "./random.ts";

const code = (expected: string) => (error: unknown) => isSottoError(error) && error.code === expected;

/** One tree of two leaves over one bit: u = 1 reaches leaf 1 (label 40000), u = 0 leaf 0 (label 7). */
const stump: LeafMatrixSpec = {
  plaintextModulus: 65537,
  columnCount: 1,
  labelCount: 1,
  treeOffsets: Uint32Array.of(0, 2),
  rowOffsets: Uint32Array.of(0, 1, 2),
  columns: Uint32Array.of(0, 0),
  weights: Int8Array.of(1, -1),
  constants: Int32Array.of(0, 1),
  labels: Uint32Array.of(7, 40000),
};

const SCALE = 1125899906826241n / 65537n;

async function upload(rowBits: number[]) {
  const backend = plainBackend();
  const key = backend.generateSecretKey();
  const keys = await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(key));
  const shape = { ciphertextCount: rowBits.length, stride: 1, scale: SCALE, bits: 40 };
  const rows = await backend.encrypt(key, Int32Array.from(rowBits), shape);
  return {
    backend,
    key,
    keys,
    rows,
    matrix: backend.createLeafMatrix(stump),
    shape: { rowCount: rowBits.length, inputBits: 40, answerBits: 26 },
  };
}

Deno.test("the same blinding seed gives the same answers and another seed others", async () => {
  const { backend, keys, rows, matrix, shape } = await upload([0, 1]);
  const run = (fill: number) =>
    backend.evaluateLeaves(matrix, keys, rows, shape, { blindingSeed: new Uint8Array(32).fill(fill) });
  assert.deepEqual(await run(1), await run(1));
  assert.notDeepEqual(await run(1), await run(2));
  assert.notDeepEqual(
    await backend.evaluateLeaves(matrix, keys, rows, shape),
    await backend.evaluateLeaves(matrix, keys, rows, shape),
  );
});

Deno.test("the answer of a row shows the label of the leaf it reaches and nothing at the other", async () => {
  const { backend, key, keys, rows, matrix, shape } = await upload([0, 1, 1, 0]);
  const layout = answerLayout({ outputs: 4, columnCount: 1, bits: 26 });
  const answers = await backend.evaluateLeaves(matrix, keys, rows, shape);
  const values = await backend.decrypt(key, answers, { ...layout, recordCount: 4, scale: SCALE });
  for (let r = 0; r < 4; r++) {
    const leaves = [0, 2].map((at) => [...values.subarray(r * 4 + at, r * 4 + at + 2)]);
    const reached = leaves.filter(([test]) => test === 0);
    assert.equal(reached.length, 1);
    assert.equal((reached[0][1] + 65537) % 65537, [7, 40000, 40000, 7][r]);
  }
});

Deno.test("blinded outputs of leaves that are not reached are spread over the whole modulus, in both orders of leaves", () => {
  const random = new UniformSource(new Uint8Array(32).fill(5));
  let first = 0, sum = 0;
  const rounds = 4000;
  for (let i = 0; i < rounds; i++) {
    const [testA, labelA, testB, labelB] = leafOutputs(stump, [1], random);
    if (testA === 0) first++;
    assert.ok((testA === 0) !== (testB === 0));
    sum += testA === 0 ? labelB : labelA;
  }
  assert.ok(Math.abs(first / rounds - 0.5) < 0.05);
  assert.ok(Math.abs(sum / rounds / 65536 - 0.5) < 0.03);
});

Deno.test("uniform numbers below a bound reach every value and never the bound", () => {
  const random = new UniformSource(new Uint8Array(32));
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 7000; i++) counts[random.below(7)]++;
  assert.ok(counts.every((count) => count > 850 && count < 1150), counts.join());
  assert.deepEqual([...random.permutation(5)].sort(), [0, 1, 2, 3, 4]);
});

Deno.test("closed handles, foreign handles and wrong lengths are typed errors", async () => {
  const { backend, key, keys, rows, matrix, shape } = await upload([1]);
  await assert.rejects(backend.evaluateLeaves(matrix, keys, rows.subarray(1), shape), code("malformed_file"));
  await assert.rejects(backend.loadEvaluationKeys(new Uint8Array(evaluationKeysBytes() - 1)), code("malformed_file"));
  assert.throws(() => backend.importSecretKey(new Uint8Array(3)), code("malformed_file"));
  assert.throws(() => backend.importSecretKey(new Uint8Array(2048).fill(3)), code("malformed_file"));
  keys.close();
  keys.close();
  await assert.rejects(backend.evaluateLeaves(matrix, keys, rows, shape), code("backend_failed"));
  const foreign = { brand: "SecretKey", closed: false, close() {}, [Symbol.dispose]() {} } as const;
  assert.throws(() => backend.exportSecretKey(foreign), code("backend_failed"));
  assert.deepEqual(
    backend.exportSecretKey(backend.importSecretKey(backend.exportSecretKey(key))),
    backend.exportSecretKey(key),
  );
});

Deno.test("a call reports its progress and stops when it is cancelled", async () => {
  const { backend, keys, rows, matrix, shape } = await upload([1, 0, 1]);
  const seen: number[] = [];
  await backend.evaluateLeaves(matrix, keys, rows, shape, { onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(seen, [0, 1 / 3, 2 / 3, 1]);
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => stop.abort() };
  await assert.rejects(backend.evaluateLeaves(matrix, keys, rows, shape, options), code("cancelled"));
});
