import type { Sink } from "../compute/sink.ts";

/** A file that `fill` writes piece by piece, as fast as it is read. */
export interface PieceStream<T> {
  readonly stream: ReadableStream<Uint8Array>;
  /** What `fill` returned, or why it failed. */
  readonly result: Promise<T>;
}

/** Turns writing into reading. */
export function pieceStream<T>(fill: (sink: Sink) => Promise<T>): PieceStream<T> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const result = write(writable.getWriter(), fill);
  result.catch(() => undefined);
  return { stream: readable, result };
}

async function write<T>(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  fill: (sink: Sink) => Promise<T>,
): Promise<T> {
  try {
    const result = await fill(writer);
    await writer.close();
    return result;
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

/** Hands the stream to `take`; when both fail, the error of who wrote comes first, for the reader's follows from it. */
export async function takePieces<T, U>(
  { stream, result }: PieceStream<T>,
  take: (stream: ReadableStream<Uint8Array>) => Promise<U>,
): Promise<U> {
  try {
    return await take(stream);
  } catch (error) {
    // Who failed before reading leaves a writer that waits.
    await stream.cancel(error).catch(() => undefined);
    throw await result.then(() => error, (first) => first instanceof Error ? first : error);
  }
}
