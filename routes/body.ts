import type { Context } from "hono";
import { SottoError } from "../errors.ts";
import { limitBytes, tooLarge } from "../store/mod.ts";
import { cancelled } from "./gate.ts";
import type { Env } from "./services.ts";

/** What an upload may take. */
export interface UploadLimits {
  readonly maxBytes: number;
  /** How long the next bytes may take; waiting for the server does not count. */
  readonly idleSeconds: number;
}

/**
 * The body as a stream that is never longer than `maxBytes`. A `content-length` above it is refused before anything is read.
 * Throws `body_too_large`, or `malformed_request` when there is no body; the stream fails with `body_too_large` or `cancelled`.
 */
export function bodyStream(c: Context<Env>, limits: UploadLimits): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { maxBytes, idleSeconds } = limits;
  const length = c.req.header("content-length");
  if (length !== undefined && !(Number(length) <= maxBytes)) throw tooLarge(maxBytes);
  const { body } = c.req.raw;
  if (body === null) throw new SottoError("malformed_request", "the request has no body: send the file as the body");
  return ReadableStream.from(limitBytes(arriving(body, idleSeconds), maxBytes));
}

/** The whole body, with the limits of `bodyStream`. */
export function bodyBytes(c: Context<Env>, limits: UploadLimits): Promise<Uint8Array<ArrayBuffer>> {
  return new Response(bodyStream(c, limits)).bytes();
}

/** The chunks of the connection; its errors, and a silence of `idleSeconds`, are the client's going away. */
async function* arriving(body: ReadableStream<Uint8Array>, idleSeconds: number): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), idleSeconds);
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error instanceof SottoError ? error : cancelled(error);
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function within<T>(work: Promise<T>, seconds: number): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const message = `nothing of the body came for ${seconds} seconds: send the request again`;
  const timer = setTimeout(() => reject(new SottoError("cancelled", message)), seconds * 1000);
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}
