/** Making key pairs and opening secret key files. File layout: `docs/files.md`. */
import type { ClientBackend, SecretKey } from "../circuits/backend.ts";
import { decodeFile, encodeFile, encodeHeader, FLAG_SEALED, type Header, ID_BYTES } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { seal, SEAL_OVERHEAD_BYTES, unseal } from "./seal.ts";

/** Bits of a packed coefficient in an evaluation key file: no bits are dropped. */
const EVALUATION_BITS = 50;
/** A secret key file holds a byte a coefficient. */
const SECRET_BITS = 8;

/** The two files of a new key pair. */
export interface NewKeys {
  /** Stays with the client; holds the secret key in clear unless a passphrase was given. Wipe it after writing. */
  readonly secretFile: Uint8Array;
  /** For the server. */
  readonly evaluationFile: Uint8Array;
  /** 64 hex digits that name the pair; every file made with it carries them. */
  readonly keyId: string;
}

/** A secret key ready for use. Dispose of it: that wipes the key. */
export interface OpenSecretKey extends Disposable {
  readonly key: SecretKey;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
}

/**
 * Makes a key pair. With a passphrase the secret file is sealed (Argon2id, XChaCha20-Poly1305).
 * @throws SottoError backend_failed, passphrase_needed for an empty passphrase.
 */
export async function newKeys(backend: ClientBackend, options: { passphrase?: string } = {}): Promise<NewKeys> {
  const keyId = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  using key = backend.generateSecretKey();
  const secretFile = await secretKeyFile(backend, key, keyId, options.passphrase);
  const payload = await backend.generateEvaluationKeys(key);
  const header = keyHeader(backend, "evaluation_keys", keyId, payload.length, EVALUATION_BITS, 0);
  return { secretFile, evaluationFile: encodeFile(header, payload), keyId: keyId.toHex() };
}

async function secretKeyFile(
  backend: ClientBackend,
  key: SecretKey,
  keyId: Uint8Array,
  passphrase: string | undefined,
): Promise<Uint8Array> {
  const bytes = backend.exportSecretKey(key);
  try {
    if (passphrase === undefined) {
      return encodeFile(keyHeader(backend, "secret_key", keyId, bytes.length, SECRET_BITS, 0), bytes);
    }
    const length = bytes.length + SEAL_OVERHEAD_BYTES;
    const header = keyHeader(backend, "secret_key", keyId, length, SECRET_BITS, FLAG_SEALED);
    return encodeFile(header, await seal(bytes, passphrase, encodeHeader(header)));
  } finally {
    bytes.fill(0);
  }
}

/** True when the file asks for a passphrase. @throws SottoError as `openSecretKey` for a file that is no secret key. */
export function isSealed(file: Uint8Array): boolean {
  return decodeFile(file, { kind: "secret_key" }).header.flags === FLAG_SEALED;
}

/**
 * Opens a secret key file.
 * @throws SottoError malformed_file, digest_mismatch, wrong_file_kind, wrong_parameter_set, passphrase_needed,
 * passphrase_wrong.
 */
export async function openSecretKey(
  backend: ClientBackend,
  file: Uint8Array,
  passphrase?: string,
): Promise<OpenSecretKey> {
  const { header, payload } = decodeFile(file, { kind: "secret_key", parameterSet: backend.parameterSet });
  if (header.flags !== FLAG_SEALED) return opened(backend.importSecretKey(payload), header.keyId);
  if (passphrase === undefined) {
    throw new SottoError("passphrase_needed", "the secret key file is sealed: give its passphrase");
  }
  const bytes = await unseal(payload, passphrase, encodeHeader(header));
  try {
    return opened(backend.importSecretKey(bytes), header.keyId);
  } finally {
    bytes.fill(0);
  }
}

function opened(key: SecretKey, keyId: Uint8Array): OpenSecretKey {
  return { key, keyId, [Symbol.dispose]: () => key.close() };
}

function keyHeader(
  backend: ClientBackend,
  kind: "secret_key" | "evaluation_keys",
  keyId: Uint8Array,
  recordBytes: number,
  coefficientBits: number,
  flags: number,
): Header {
  const parameterSet = backend.parameterSet;
  const modelId = new Uint8Array(ID_BYTES);
  return { kind, recordCount: 1, recordBytes, rowCount: 0, coefficientBits, flags, parameterSet, keyId, modelId };
}
