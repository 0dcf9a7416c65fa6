import type { Context } from "hono";
import { SottoError } from "../errors.ts";
import { storageFull, type StorageUse, storageUse } from "../db/mod.ts";
import { limitBytes, tooLarge } from "../store/mod.ts";
import { cancelled } from "./gate.ts";
import type { Upload } from "./limits/upload.ts";
import type { Env, Services } from "./services.ts";

/** What an upload may take. */
export interface UploadLimits {
  readonly maxBytes: number;
  /** How long the next bytes may take; waiting for the server does not count. */
  readonly idleSeconds: number;
  /** What the tenant stores, for a body that will be stored: one that does not fit is refused with `quota_exceeded`. */
  readonly room?: StorageUse;
}

/** What the tenant of a body stores and may store. */
export function roomOf(
  { database, config }: Pick<Services, "database" | "config">,
  tenantId: string,
): Promise<StorageUse> {
  return storageUse(database, tenantId, config.tenantBytes);
}

/**
 * The body as a stream that is never longer than `maxBytes`. A `content-length` above it is refused before anything is read.
 * Throws `body_too_large`, or `malformed_request` when there is no body; the stream fails with `body_too_large` or `cancelled`.
 */
export function bodyStream(c: Context<Env>, limits: UploadLimits): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { maxBytes, idleSeconds, room } = limits;
  const length = c.req.header("content-length");
  if (length !== undefined && !(Number(length) <= maxBytes)) throw tooLarge(maxBytes);
  const { body } = c.req.raw;
  if (body === null || length === "0") {
    throw new SottoError("malformed_request", "the request has no body: send the file as the body");
  }
  const chunks = limitBytes(arriving(body, idleSeconds, c.get("upload")), maxBytes);
  return ReadableStream.from(room === undefined ? chunks : withinRoom(chunks, room, Number(length ?? 0)));
}

function withinRoom(chunks: AsyncIterable<Uint8Array>, room: StorageUse, length: number) {
  const left = Math.max(0, room.bytesMax - room.bytes);
  if (length > left) throw storageFull(room);
  return limitBytes(chunks, left, () => storageFull(room));
}

/** The whole body, with the limits of `bodyStream`. */
export function bodyBytes(c: Context<Env>, limits: UploadLimits): Promise<Uint8Array<ArrayBuffer>> {
  return new Response(bodyStream(c, limits)).bytes();
}

/** The chunks of the connection; its errors, and a silence of `idleSeconds`, are the client's going away. */
async function* arriving(
  body: ReadableStream<Uint8Array>,
  idleSeconds: number,
  upload: Upload,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), idleSeconds);
      if (done) return;
      await upload.arrived(value.length);
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
