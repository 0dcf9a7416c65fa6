import { createHash } from "node:crypto";
import { corrupt } from "./store_errors.ts";

/**
 * Passes the chunks of an object on and holds the last one back until the SHA-256 of all is right, so that nobody ever has the
 * whole of a wrong object. Fails with `store_corrupt`.
 */
export async function* checkDigest(
  source: AsyncIterable<Uint8Array>,
  digest: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    if (chunk.byteLength === 0) continue;
    hash.update(chunk);
    if (held !== undefined) yield held as Uint8Array<ArrayBuffer>;
    held = chunk;
  }
  if (hash.digest("hex") !== digest) throw corrupt(digest, "was changed");
  if (held !== undefined) yield held as Uint8Array<ArrayBuffer>;
}
