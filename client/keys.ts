/** Making key pairs and opening secret key files. File layout: `docs/files.md`. */
import type { Capability, ClientBackend, SecretKey } from "../circuits/backend.ts";
import {
  decodeFile,
  encodeFile,
  encodeHeader,
  FLAG_SEALED,
  type Header,
  ID_BYTES,
  keyFileHeader,
  lookupSettingOf,
} from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { seal, SEAL_OVERHEAD_BYTES, unseal } from "./seal.ts";

/** A secret key file holds a byte a coefficient. */
const SECRET_BITS = 8;

/** The files of a new key pair. */
export interface NewKeys {
  /** Stays with the client; holds the secret key in clear unless a passphrase was given. Wipe it after writing. */
  readonly secretFile: Uint8Array;
  /** For the server: one file a capability that was asked for. */
  readonly files: ReadonlyMap<Capability, Uint8Array>;
  /** The file of capability `pack`. @throws SottoError internal when it was not asked for. */
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

/** Options of `newKeys`. */
export interface NewKeysOptions {
  /** Seals the secret file (Argon2id, XChaCha20-Poly1305). */
  readonly passphrase?: string;
  /** Which files for the server to make; default: `pack` only, which is all that trees need. */
  readonly capabilities?: readonly Capability[];
  /** Told the share of the files made. */
  readonly onProgress?: (progress: number) => void;
}

/**
 * Makes a key pair.
 * @throws SottoError backend_failed, passphrase_needed for an empty passphrase.
 */
export async function newKeys(backend: ClientBackend, options: NewKeysOptions = {}): Promise<NewKeys> {
  const keyId = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  using key = backend.generateSecretKey();
  const secretFile = await secretKeyFile(backend, key, keyId, options.passphrase);
  const files = new Map<Capability, Uint8Array>();
  const wanted = new Set(options.capabilities ?? ["pack" as const]);
  for (const capability of wanted) {
    files.set(capability, await serverFile(backend, { key, keyId }, capability));
    options.onProgress?.(files.size / wanted.size);
  }
  return {
    secretFile,
    files,
    keyId: keyId.toHex(),
    get evaluationFile() {
      const file = files.get("pack");
      if (file === undefined) throw new SottoError("internal", "the capability pack was not asked for");
      return file;
    },
  };
}

/**
 * Makes a further key file for the server from an existing secret key file.
 * @throws SottoError backend_failed, and what `openSecretKey` throws.
 */
export async function addKeys(
  backend: ClientBackend,
  secretFile: Uint8Array,
  capability: Capability,
  passphrase?: string,
): Promise<Uint8Array> {
  using secret = await openSecretKey(backend, secretFile, passphrase);
  return await serverFile(backend, secret, capability);
}

/**
 * The key file of a capability, for the server, from an opened secret key.
 * @throws SottoError backend_failed.
 */
export async function serverFile(
  backend: ClientBackend,
  { key, keyId }: Pick<OpenSecretKey, "key" | "keyId">,
  capability: Capability,
): Promise<Uint8Array> {
  const setting = lookupSettingOf(capability);
  const payload = setting === undefined
    ? await backend.generateEvaluationKeys(key)
    : await backend.generateLookupKeys(key, setting);
  return encodeFile(keyFileHeader(capability, { keyId, parameterSet: backend.parameterSet }), payload);
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
      return encodeFile(secretHeader(backend, keyId, bytes.length, 0), bytes);
    }
    const length = bytes.length + SEAL_OVERHEAD_BYTES;
    const header = secretHeader(backend, keyId, length, FLAG_SEALED);
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

function secretHeader({ parameterSet }: ClientBackend, keyId: Uint8Array, recordBytes: number, flags: number): Header {
  return {
    kind: "secret_key",
    recordCount: 1,
    recordBytes,
    rowCount: 0,
    coefficientBits: SECRET_BITS,
    flags,
    parameterSet,
    keyId,
    modelId: new Uint8Array(ID_BYTES),
  };
}
