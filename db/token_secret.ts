/** The text of tokens: `sotto_ID_SECRET`. Only hashes of it are stored. */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const TOKEN_FORM = /^sotto_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;
/** Compared with when the id is unknown, so that this answer takes as long as a wrong secret. */
const NO_HASH = createHash("sha256").update("no token").digest();

/** A new token with that id and 32 random bytes. */
export function makeSecret(id: string): string {
  return `sotto_${id}_${randomBytes(32).toString("base64url")}`;
}

/** The id in a token; undefined when it has not the form of one. */
export function idOf(token: string): string | undefined {
  return TOKEN_FORM.exec(token)?.[1];
}

/** SHA-256 of a token. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Whether the token has this hash (hex), in constant time; false without a hash. */
export function matches(token: string, hash: string | undefined): boolean {
  const stored = hash === undefined ? NO_HASH : Buffer.from(hash, "hex");
  return timingSafeEqual(hashOf(token), stored) && hash !== undefined;
}
