import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeFile, encodeFile, type Header, readFileStream } from "../circuits/wire.ts";
import { type ObjectStore, openFileStore } from "../store/mod.ts";
import type { CompiledModel } from "./compute/compiled_model.ts";
import { cutRows, rowsPerPart } from "./cut_rows.ts";
import { readPartObject } from "./part_objects.ts";

/** A model of so many milliseconds a row, 2 records of 3 bytes each. */
function fakeModel(server_ms_per_row: number, change: Partial<CompiledModel> = {}): CompiledModel {
  const description = { mode: "leaves", plan: { server_ms_per_row } } as unknown as CompiledModel["description"];
  const shape = { unitRecords: 2, recordBytes: 3, answerBytes: 5, needs: [], description };
  return { ...shape, unitsOf: (rows) => rows, evaluate: () => Promise.reject(), close: () => {}, ...change };
}

const headerOf = (rowCount: number): Header => ({
  kind: "encrypted_rows",
  recordCount: 2 * rowCount,
  recordBytes: 3,
  rowCount,
  coefficientBits: 40,
  flags: 0,
  parameterSet: "insecure-plain",
  keyId: new Uint8Array(32).fill(1),
  modelId: new Uint8Array(32).fill(2),
});

const payloadOf = (rowCount: number) => new Uint8Array(6 * rowCount).map((_, i) => i % 251);
const open = (file: Uint8Array, chunkRecords: number) =>
  readFileStream(new Response(new Uint8Array(file)).body!, { chunkRecords });

async function withStore(work: (store: ObjectStore) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const store = await openFileStore(folder);
  try {
    await work(store);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the parts of a file are files, and hold its rows in order, however it is cut and read", () =>
  withStore(async (store) => {
    const small = fc.integer({ min: 1, max: 12 });
    await fc.assert(
      fc.asyncProperty(small, small, small, async (rowCount, partRows, chunkRows) => {
        const file = encodeFile(headerOf(rowCount), payloadOf(rowCount));
        const parts = await cutRows(store, await open(file, 2 * chunkRows), fakeModel(1), partRows);
        const payload: number[] = [];
        let row = 0;
        for (const part of parts) {
          await part.staged.commit();
          const found = decodeFile(await readPartObject(store, part.staged.digest), { kind: "encrypted_rows" });
          assert.deepEqual([part.firstRow, part.rows], [row, Math.min(partRows, rowCount - row)]);
          assert.deepEqual(found.header, { ...headerOf(part.rows) });
          payload.push(...found.payload);
          row += part.rows;
        }
        assert.deepEqual(payload, [...payloadOf(rowCount)]);
      }),
      { numRuns: 30 },
    );
  }));

Deno.test("nothing is left of a file whose digest is wrong or that ends early", () =>
  withStore(async (store) => {
    const file = encodeFile(headerOf(7), payloadOf(7));
    const damaged = file.slice();
    damaged[200] ^= 1;
    for (const [bytes, code] of [[damaged, "digest_mismatch"], [file.slice(0, -40), "malformed_file"]] as const) {
      await assert.rejects(async () => cutRows(store, await open(bytes, 2), fakeModel(1), 2), { code });
    }
    assert.deepEqual(await Array.fromAsync(store.list()), []);
    assert.equal(await store.removeLeftovers(new Date(Date.now() + 1000)), 0);
  }));

Deno.test("a part takes 5 to 30 planned seconds, a sixteenth of the job between, and so many rows at most", () => {
  const per = (msPerRow: number, rowCount: number, partRows = 1_000_000, threads = 1) =>
    rowsPerPart(fakeModel(msPerRow), { rowCount, threads, partRows });
  assert.equal(per(1000, 10), 5);
  assert.equal(per(1000, 160), 10);
  assert.equal(per(1000, 100_000), 30);
  assert.equal(per(1000, 160, 1_000_000, 2), 10);
  assert.equal(per(1000, 160, 4), 4);
  assert.equal(per(60_000, 10), 1);
});

Deno.test("rows that share a ciphertext stay together", () => {
  const description = { mode: "linear", rows_per_ciphertext: 64, plan: { server_ms_per_row: 1000 } };
  const model = fakeModel(0, { description: description as CompiledModel["description"] });
  assert.equal(rowsPerPart(model, { rowCount: 1000, threads: 1, partRows: 1000 }), 64);
  assert.equal(rowsPerPart(model, { rowCount: 1000, threads: 16, partRows: 1000 }), 64);
});
