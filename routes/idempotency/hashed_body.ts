import { createHash } from "node:crypto";

/** A body whose SHA-256 is known when all of it was read. */
export interface HashedBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** 64 hex digits of what was read so far. */
  digest(): string;
}

/** Hashes a body while it is read. */
export function hashedBody(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): HashedBody {
  const hash = createHash("sha256");
  const stream = body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        hash.update(chunk);
        controller.enqueue(chunk);
      },
    }),
  ) ?? null;
  return { stream, digest: () => hash.copy().digest("hex") };
}
