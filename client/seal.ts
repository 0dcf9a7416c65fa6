/**
 * Sealing with a passphrase: Argon2id (RFC 9106) makes the key, XChaCha20-Poly1305 seals the bytes.
 *
 * Layout of sealed bytes: 16-byte salt, 24-byte nonce, ciphertext with its 16-byte tag.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { argon2idAsync } from "@noble/hashes/argon2.js";
import { SottoError } from "../errors.ts";

const SALT_BYTES = 16;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** Bytes that sealing adds to its input. */
export const SEAL_OVERHEAD_BYTES = SALT_BYTES + NONCE_BYTES + TAG_BYTES;

/** 64 MiB, three passes, one lane: the second recommended choice of RFC 9106, section 4, with one lane for a single thread. */
const COST = { m: 64 * 1024, t: 3, p: 1, dkLen: 32, asyncTick: 20 } as const;

/**
 * Seals `plain` with a passphrase; `bound` is authenticated with it and must be the same to open.
 * @throws SottoError passphrase_needed for an empty passphrase.
 */
export async function seal(plain: Uint8Array, passphrase: string, bound: Uint8Array): Promise<Uint8Array> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const key = await deriveKey(passphrase, salt);
  try {
    const sealed = xchacha20poly1305(key, nonce, bound).encrypt(plain);
    return concatenate(salt, nonce, sealed);
  } finally {
    key.fill(0);
  }
}

/**
 * Opens what `seal` made; the caller wipes the result.
 * @throws SottoError malformed_file when the bytes are too short, passphrase_wrong when they do not open.
 */
export async function unseal(sealed: Uint8Array, passphrase: string, bound: Uint8Array): Promise<Uint8Array> {
  if (sealed.length < SEAL_OVERHEAD_BYTES) {
    throw new SottoError("malformed_file", "the sealed secret key is too short: restore the file from a copy");
  }
  const nonceEnd = SALT_BYTES + NONCE_BYTES;
  const key = await deriveKey(passphrase, sealed.subarray(0, SALT_BYTES));
  try {
    return xchacha20poly1305(key, sealed.subarray(SALT_BYTES, nonceEnd), bound).decrypt(sealed.subarray(nonceEnd));
  } catch {
    throw new SottoError(
      "passphrase_wrong",
      "the passphrase does not open this secret key file: check it and try again",
    );
  } finally {
    key.fill(0);
  }
}

async function deriveKey(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  if (passphrase.length === 0) throw new SottoError("passphrase_needed", "the passphrase is empty: give a longer one");
  const bytes = new TextEncoder().encode(passphrase.normalize("NFC"));
  try {
    return await argon2idAsync(bytes, salt, COST);
  } finally {
    bytes.fill(0);
  }
}

function concatenate(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
