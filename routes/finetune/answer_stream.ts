import type { Gate } from "../gate.ts";

/**
 * Runs a generator inside the gate and streams what it makes; the caller leaves the gate when the stream ends or its reader goes away. What the
 * generator throws before its first piece is thrown here, later errors break the stream.
 */
export async function admitStream(
  gate: Gate,
  tenant: string,
  make: (signal: AbortSignal) => AsyncGenerator<Uint8Array<ArrayBuffer>>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const opened = Promise.withResolvers<ReadableStream<Uint8Array<ArrayBuffer>>>();
  gate.admit(tenant, async () => {
    const ended = Promise.withResolvers<void>();
    const abort = new AbortController();
    const pieces = make(abort.signal);
    const first = await pieces.next();
    opened.resolve(stream(first, pieces, abort, ended.resolve));
    await ended.promise;
  }).catch(opened.reject);
  return await opened.promise;
}

function stream(
  first: IteratorResult<Uint8Array<ArrayBuffer>>,
  pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  abort: AbortController,
  onEnd: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let waiting: IteratorResult<Uint8Array<ArrayBuffer>> | undefined = first;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = waiting ?? await pieces.next();
        waiting = undefined;
        if (!done) return controller.enqueue(value);
        controller.close();
        onEnd();
      } catch (error) {
        onEnd();
        controller.error(error);
      }
    },
    async cancel() {
      abort.abort();
      await pieces.return(undefined).catch(() => undefined);
      onEnd();
    },
  }, { highWaterMark: 0 });
}
