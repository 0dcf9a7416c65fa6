import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Backend, LeafMatrixSpec } from "../circuits/backend.ts";
import { isSottoError } from "../errors.ts";
import { renderSymbols } from "../tools/generate_ffi.ts";
import { openBackend } from "./mod.ts";

const MODULUS = 65537;
const DELTA = 1125899906826241n / BigInt(MODULUS);

/** One tree of two leaves over one bit: leaf 0 (label 7) when the bit is 0, leaf 1 (label 9) when it is 1. */
const STUMP: LeafMatrixSpec = {
  plaintextModulus: MODULUS,
  columnCount: 1,
  labelCount: 1,
  treeOffsets: Uint32Array.of(0, 2),
  rowOffsets: Uint32Array.of(0, 1, 2),
  columns: Uint32Array.of(0, 0),
  weights: Int8Array.of(1, -1),
  constants: Int32Array.of(0, 1),
  labels: Uint32Array.of(7, 9),
};
/** N = 2048 outputs fit one product: output o is coefficient o. */
const SHAPE = { usefulCounts: [4], positions: Uint32Array.of(0, 1, 2, 3), bits: 26 };

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

function codeOf(error: unknown): string {
  return isSottoError(error) ? error.code : String(error);
}

/** The label of the one zero test of each row. */
function labels(values: Float64Array): number[] {
  const found: number[] = [];
  for (let row = 0; row < values.length; row += 4) {
    for (const leaf of [0, 2]) {
      if (values[row + leaf] % MODULUS === 0) found.push((values[row + leaf + 1] + MODULUS) % MODULUS);
    }
  }
  return found;
}

async function predictStump(backend: Backend, bits: number[], collect = () => {}): Promise<number[]> {
  using secret = backend.generateSecretKey();
  using keys = await backend.loadEvaluationKeys(await backend.generateEvaluationKeys(secret));
  using matrix = backend.createLeafMatrix(STUMP);
  const shape = { ciphertextCount: bits.length, stride: 1, scale: DELTA, bits: 40 };
  const encrypting = backend.encrypt(secret, Int32Array.from(bits), shape);
  collect();
  const evaluating = backend.evaluateLeaves(matrix, keys, await encrypting, {
    rowCount: bits.length,
    inputBits: 40,
    answerBits: 26,
  });
  collect();
  const decrypting = backend.decrypt(secret, await evaluating, { ...SHAPE, recordCount: bits.length, scale: DELTA });
  collect();
  return labels(await decrypting);
}

Deno.test("the symbol table is what the generator makes of the header", async () => {
  const header = await Deno.readTextFile(new URL("../kernels/include/sotto/sotto.h", import.meta.url));
  const table = await Deno.readTextFile(new URL("./symbols.generated.ts", import.meta.url));
  assert.equal(table, renderSymbols(header));
});

Deno.test(
  "a stump predicted on ciphertexts gives the label of the reached leaf",
  withBackend(async (backend) => {
    assert.deepEqual(await predictStump(backend, [0, 1, 1, 0]), [7, 9, 9, 7]);
  }),
);

Deno.test(
  "buffers stay in place during calls although nothing else refers to them",
  withBackend(async (backend) => {
    const collect = (globalThis as { gc?: () => void }).gc;
    assert.ok(collect, "run the tests with deno task test, which gives them the garbage collector");
    const garbage: Uint8Array[] = [];
    const pressure = () => {
      collect();
      garbage.push(new Uint8Array(1 << 20).fill(0xa5)); // would take the place of what was freed
      if (garbage.length > 64) garbage.length = 0;
    };
    for (let round = 0; round < 20; round++) {
      const bits = Array.from({ length: 8 }, (_, i) => (i + round) % 2);
      assert.deepEqual(await predictStump(backend, bits, pressure), bits.map((bit) => bit ? 9 : 7));
    }
  }),
);

Deno.test("a missing library says how to build it", () => {
  assert.throws(
    () => openBackend({ library: "/nowhere/libsotto.so" }),
    (error) => codeOf(error) === "library_missing" && /deno task build/.test(String(error)),
  );
  const other = fileURLToPath(import.meta.url); // a file that is no library
  assert.throws(() => openBackend({ library: other }), (error) => codeOf(error) === "library_missing");
});

Deno.test("an unknown back end is refused by name", () => {
  assert.throws(
    () => openBackend({ backend: "abacus" }),
    (error) => codeOf(error) === "configuration_invalid" && /abacus/.test(String(error)),
  );
});

Deno.test(
  "closed handles, foreign handles and wrong sizes are typed errors",
  withBackend(async (backend) => {
    const secret = backend.generateSecretKey();
    secret.close();
    secret.close();
    assert.throws(() => backend.exportSecretKey(secret), (error) => codeOf(error) === "backend_failed");
    const foreign = { brand: "SecretKey", closed: false, close() {}, [Symbol.dispose]() {} } as const;
    assert.throws(() => backend.exportSecretKey(foreign), /another back end/);
    await assert.rejects(backend.loadEvaluationKeys(new Uint8Array(5)), (error) => codeOf(error) === "malformed_file");
    assert.throws(
      () => backend.importSecretKey(new Uint8Array(2048).fill(9)),
      (error) => codeOf(error) === "malformed_file",
    );
    assert.throws(
      () => backend.createLeafMatrix({ ...STUMP, columns: Uint32Array.of(0, 5) }),
      /column 5 of literal 1 is not below 1/,
    );
  }),
);

Deno.test(
  "an evaluation is cancelled by its signal and reports its progress otherwise",
  withBackend(async (backend) => {
    using matrix = backend.createWeightMatrix({ rowCount: 4, columnCount: 1, weights: Int32Array.of(1, 2, 3, 4) });
    const count = 3000;
    const rows = new Uint8Array(count * 12832);
    const shape = { ciphertextCount: count, inputBits: 50, answerBits: 36 };
    const abort = new AbortController();
    const running = backend.evaluateLinear(matrix, rows, shape, { signal: abort.signal });
    abort.abort();
    await assert.rejects(running, (error) => codeOf(error) === "cancelled");
    const seen: number[] = [];
    await backend.evaluateLinear(matrix, rows.subarray(0, 12832), { ...shape, ciphertextCount: 1 }, {
      onProgress: (progress) => seen.push(progress),
    });
    assert.equal(seen.at(-1), 1);
  }),
);

Deno.test(
  "a secret key exported and imported decrypts what the first encrypted",
  withBackend(async (backend) => {
    using first = backend.generateSecretKey();
    using second = backend.importSecretKey(backend.exportSecretKey(first));
    assert.deepEqual(backend.exportSecretKey(second), backend.exportSecretKey(first));
    assert.notDeepEqual(backend.exportSecretKey(backend.generateSecretKey()), backend.exportSecretKey(first));
    const keys = await backend.generateEvaluationKeys(second);
    assert.equal(keys.length, 576032);
  }),
);
