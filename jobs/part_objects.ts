/**
 * Objects of parts: a salt of 16 random bytes, then a file. The salt makes every object the only one of its bytes, so that two parts never
 * name the same one and its end needs no look at others.
 */
import { SottoError } from "../errors.ts";
import type { ObjectStore, StagedObject } from "../store/mod.ts";

export const SALT_BYTES = 16;

/** Stores the pieces of a file, at most so many bytes, without making it visible. */
export function stagePartObject(
  store: ObjectStore,
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<StagedObject> {
  return store.stage(ReadableStream.from(salted(pieces)), { maxBytes: maxBytes + SALT_BYTES });
}

async function* salted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  yield* pieces;
}

/** The file of an object as a stream. Throws `store_corrupt`. */
export async function openPartObject(
  store: ObjectStore,
  digest: string | null,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return ReadableStream.from(withoutStart(await store.openReadable(required(digest)), SALT_BYTES));
}

/** The whole file of an object. Throws `store_corrupt`. */
export async function readPartObject(store: ObjectStore, digest: string | null): Promise<Uint8Array<ArrayBuffer>> {
  return (await store.get(required(digest))).subarray(SALT_BYTES);
}

function required(digest: string | null): string {
  if (digest !== null) return digest;
  throw new SottoError("internal", "the part has no object");
}

/** The chunks of a stream after its first bytes. */
export async function* withoutStart(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  bytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let left = bytes;
  for await (const chunk of stream) {
    const skipped = Math.min(left, chunk.byteLength);
    left -= skipped;
    if (skipped < chunk.byteLength) yield chunk.subarray(skipped);
  }
}
