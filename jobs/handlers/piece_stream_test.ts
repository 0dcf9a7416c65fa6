import assert from "node:assert/strict";
import { pieceStream, takePieces } from "./piece_stream.ts";

const PIECES = [new Uint8Array([1, 2]), new Uint8Array([3])];

const written = () =>
  pieceStream(async (sink) => {
    for (const piece of PIECES) await sink.write(piece);
    return "written";
  });

Deno.test("pieces are read in the order in which they are written", async () => {
  const pieces = written();
  const bytes = await takePieces(pieces, (stream) => new Response(stream).bytes());
  assert.deepEqual([...bytes], [1, 2, 3]);
  assert.equal(await pieces.result, "written");
});

Deno.test("a reader that fails before it reads ends the writing, and its error is told", async () => {
  const full = new Error("the disk is full");
  const pieces = written();
  await assert.rejects(takePieces(pieces, () => Promise.reject(full)), full);
  await assert.rejects(pieces.result);
});

Deno.test("the error of who writes comes before the error of who reads", async () => {
  const broken = new Error("the rows are broken");
  const pieces = pieceStream(async (sink) => {
    await sink.write(PIECES[0]);
    throw broken;
  });
  await assert.rejects(takePieces(pieces, (stream) => new Response(stream).bytes()), broken);
});
