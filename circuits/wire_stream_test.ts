import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../errors.ts";
import { decodeFile, encodeFile, fileWriter, type Header, readFileStream } from "./wire.ts";

const header: Header = {
  kind: "encrypted_answers",
  recordCount: 7,
  recordBytes: 11,
  rowCount: 7,
  coefficientBits: 26,
  flags: 0,
  parameterSet: "ring-2048-q50",
  keyId: new Uint8Array(32).fill(1),
  modelId: new Uint8Array(32).fill(2),
};
const payload = new Uint8Array(77).map((_, i) => i * 3);
const file = encodeFile(header, payload);

/** The bytes as a stream, cut into pieces at random; `cancelled` tells whether the reader gave up. */
function streamOf(
  bytes: Uint8Array,
  cuts: readonly number[],
): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean } {
  let at = 0, turn = 0, cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const length = cuts[turn++ % cuts.length];
      controller.enqueue(bytes.slice(at, at + length));
      at += length;
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { stream, cancelled: () => cancelled };
}

async function readAll(bytes: Uint8Array, cuts: readonly number[], chunkRecords: number) {
  const source = streamOf(bytes, cuts);
  const read = await readFileStream(source.stream, { kind: "encrypted_answers", maxBytes: 10_000, chunkRecords });
  const chunks: Uint8Array[] = [];
  for await (const chunk of read.records()) chunks.push(chunk);
  return { header: read.header, chunks, digest: read.digest() };
}

const cuts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 });

Deno.test("a file streamed in pieces of any size gives whole records in order and the same digest", async () => {
  await fc.assert(fc.asyncProperty(cuts, fc.integer({ min: 1, max: 9 }), async (cuts, chunkRecords) => {
    const read = await readAll(file, cuts, chunkRecords);
    assert.deepEqual(read.header, header);
    assert.ok(read.chunks.every((chunk) => chunk.length % 11 === 0 && chunk.length <= chunkRecords * 11));
    assert.deepEqual(Uint8Array.from(read.chunks.flatMap((chunk) => [...chunk])), payload);
    assert.equal(read.digest, decodeFile(file).digest);
  }));
});

Deno.test("damaged, shortened and lengthened streams give typed errors and are cancelled", async () => {
  const damage = fc.record({
    at: fc.nat(file.length - 1),
    value: fc.integer({ min: 1, max: 255 }),
    keep: fc.integer({ min: 0, max: 260 }),
  });
  await fc.assert(
    fc.asyncProperty(damage, cuts, async ({ at, value, keep }, cuts) => {
      const bytes = new Uint8Array(keep);
      bytes.set(file.subarray(0, keep));
      if (at < keep) bytes[at] ^= value;
      else if (keep === file.length) return;
      await assert.rejects(readAll(bytes, cuts, 2), (error) => isSottoError(error) && error.status < 500);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("a stream with bytes after its end is cancelled, not read on", async () => {
  const source = streamOf(Uint8Array.from([...file, ...new Uint8Array(1000)]), [50]);
  const read = await readFileStream(source.stream, { chunkRecords: 4 });
  await assert.rejects(async () => {
    for await (const _ of read.records());
  }, (error) => isSottoError(error) && error.code === "malformed_file");
  assert.ok(source.cancelled());
});

Deno.test("a consumer that stops early cancels the stream", async () => {
  const source = streamOf(file, [20]);
  const read = await readFileStream(source.stream, { chunkRecords: 1 });
  for await (const _ of read.records()) break;
  assert.ok(source.cancelled());
  assert.throws(() => read.digest(), (error) => isSottoError(error) && error.code === "internal");
});

Deno.test("the writer gives the bytes of the whole file piece by piece", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 80 }), (piece) => {
    const writer = fileWriter(header);
    const parts = [writer.header];
    for (let at = 0; at < payload.length; at += piece) {
      const part = payload.subarray(at, at + piece);
      writer.update(part);
      parts.push(part);
    }
    parts.push(writer.trailer());
    assert.deepEqual(Uint8Array.from(parts.flatMap((part) => [...part])), file);
    assert.equal(writer.digest(), decodeFile(file).digest);
  }));
});

Deno.test("a writer that was given too little refuses to end the file", () => {
  const writer = fileWriter(header);
  writer.update(payload.subarray(1));
  assert.throws(() => writer.trailer(), (error) => isSottoError(error) && error.code === "internal");
});
