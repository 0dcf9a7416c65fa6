import { createHash } from "node:crypto";

/** SHA-256 of a row order, hex: ids in UTF-8, each followed by a line feed. What data owners confirm. */
export function rowOrderDigest(ids: readonly string[]): string {
  const hash = createHash("sha256");
  for (const id of ids) hash.update(id + "\n");
  return hash.digest("hex");
}
