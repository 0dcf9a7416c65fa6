import assert from "node:assert/strict";
import { decodeFile, encodeFile, type Header, readFileStream } from "../../circuits/wire.ts";
import { Metrics } from "../../observation/mod.ts";
import { Gate } from "../../routes/gate.ts";
import type { CompiledModel } from "./compiled_model.ts";
import { plannedSeconds, unitsPerChunk } from "./chunks.ts";
import { evaluateRows } from "./evaluate_rows.ts";

const MIB = 1024 * 1024;

/** A model whose answer to a record is its bytes reversed; the plan says how long a row takes. */
function fakeModel(server_ms_per_row: number, change: Partial<CompiledModel> = {}): CompiledModel {
  const description = { mode: "leaves", answer_bits: 26, plan: { server_ms_per_row } };
  return {
    description: description as CompiledModel["description"],
    needs: [],
    unitRecords: 1,
    recordBytes: 3,
    answerBytes: 3,
    unitsOf: (rowCount) => rowCount,
    evaluate(records, _units, _keys, { onProgress }) {
      onProgress?.(0.5);
      return Promise.resolve(records.slice().reverse());
    },
    close: () => {},
    ...change,
  };
}

const header: Header = {
  kind: "encrypted_rows",
  recordCount: 5,
  recordBytes: 3,
  rowCount: 5,
  coefficientBits: 40,
  flags: 0,
  parameterSet: "insecure-plain",
  keyId: new Uint8Array(32),
  modelId: new Uint8Array(32),
};

const keys = { lookups: new Map() };
const metrics = new Metrics();
metrics.close();

Deno.test("answers come chunk by chunk in the order of the rows, and progress counts what chunks report", async () => {
  const file = encodeFile(header, new Uint8Array(15).map((_, i) => i));
  const rows = await readFileStream(new Response(new Uint8Array(file)).body!, { chunkRecords: 2 });
  const [written, shares]: [number[], number[]] = [[], []];
  const sink = { write: (chunk: Uint8Array) => Promise.resolve(void written.push(...chunk)) };
  const { signal } = new AbortController();
  const evaluation = {
    kind: "request" as const,
    tenant: "ours",
    model: fakeModel(1),
    keys,
    signal,
    onProgress: (share: number) => shares.push(share),
  };
  await evaluateRows({ predictions: new Gate(1, 0), metrics }, rows, sink, evaluation);
  const answers = decodeFile(Uint8Array.from(written), { kind: "encrypted_answers" });
  assert.equal(answers.header.coefficientBits, 26);
  assert.deepEqual([...answers.payload], [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 14, 13, 12]);
  assert.deepEqual(shares.map((share) => Math.round(share * 1000)), [200, 400, 600, 800, 900, 1000]);
});

Deno.test("an abort ends the wait for a turn", async () => {
  const rows = await readFileStream(
    new Response(new Uint8Array(encodeFile(header, new Uint8Array(15)))).body!,
    { chunkRecords: 2 },
  );
  const sink = { write: () => Promise.resolve() };
  const evaluation = {
    kind: "request" as const,
    tenant: "ours",
    model: fakeModel(1),
    keys,
    signal: AbortSignal.abort(),
  };
  await assert.rejects(evaluateRows({ predictions: new Gate(1, 0), metrics }, rows, sink, evaluation), {
    code: "cancelled",
  });
});

Deno.test("a chunk is bounded by units, by bytes and by planned time, and holds at least one unit", () => {
  assert.equal(unitsPerChunk(fakeModel(0.001), 1), 256);
  assert.equal(unitsPerChunk(fakeModel(0.001, { recordBytes: MIB, answerBytes: MIB }), 1), 2);
  assert.equal(unitsPerChunk(fakeModel(1000), 1), 10);
  assert.equal(unitsPerChunk(fakeModel(1000), 4), 40);
  assert.equal(unitsPerChunk(fakeModel(60_000), 1), 1);
  assert.equal(plannedSeconds(fakeModel(250), 8, 2), 1);
});
