/** What the parts of the plain back end share: handles and the checks of every call. */
import { SottoError } from "../errors.ts";
import type { CallOptions, Handle } from "./backend.ts";

/** A handle and what it stands for. */
export class PlainHandle<Brand extends string, Content> implements Handle {
  closed = false;
  constructor(readonly brand: Brand, private readonly content: Content, readonly bytes: number) {}
  close(): void {
    this.closed = true;
  }
  [Symbol.dispose](): void {
    this.close();
  }
  /** The content. Throws `backend_failed` after `close`. */
  open(): Content {
    if (this.closed) throw new SottoError("backend_failed", `a closed ${this.brand} was used`);
    return this.content;
  }
}

/** The content of a handle of this back end. */
export function contentOf<Content>(handle: Handle): Content {
  if (!(handle instanceof PlainHandle)) throw new SottoError("backend_failed", "a handle of another back end was used");
  return handle.open() as Content;
}

/** Throws `malformed_file`. */
export function requireBytes(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new SottoError("malformed_file", `${what} must have ${length} bytes, not ${bytes.length}`);
  }
}

/** Lets other work run, reports progress, stops when asked to. */
export async function step(options: CallOptions, progress: number): Promise<void> {
  if (options.signal?.aborted) throw new SottoError("cancelled", "the call was cancelled");
  options.onProgress?.(progress);
  await Promise.resolve();
}
