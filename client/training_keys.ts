/** Key files of a training session. Layout: `docs/files.md`. */
import type { ClientBackend } from "../circuits/backend.ts";
import { decodeFile, encodeFile, ID_BYTES } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import { COEFFICIENT_BITS } from "../params/mod.ts";
import type { OpenSecretKey } from "./keys.ts";
import { encodeTrainingFile } from "../circuits/training_file.ts";

type Secret = Pick<OpenSecretKey, "key" | "keyId">;

/** The training key file, for the server, from an opened secret key. @throws SottoError backend_failed. */
export async function trainingKeyFile(backend: ClientBackend, { key, keyId }: Secret): Promise<Uint8Array> {
  const { parameterSet } = backend;
  const subject = new Uint8Array(ID_BYTES);
  const header = { kind: "training_keys", parameterSet, keyId, subject, rowCount: 0, flags: 0 } as const;
  return encodeTrainingFile(header, await backend.training.generateTrainingKeys(key));
}

/** The public key file: whoever has it encrypts for the owner of the secret key, and can decrypt nothing. */
export function publicKeyFile(backend: ClientBackend, { key, keyId }: Secret): Uint8Array {
  const payload = backend.training.generatePublicKey(key);
  return encodeFile({
    kind: "public_key",
    recordCount: 1,
    recordBytes: payload.length,
    rowCount: 0,
    coefficientBits: COEFFICIENT_BITS,
    flags: 0,
    parameterSet: backend.parameterSet,
    keyId,
    modelId: new Uint8Array(ID_BYTES),
  }, payload);
}

/** The public key in a file. @throws SottoError malformed_file, digest_mismatch, wrong_file_kind, wrong_parameter_set, wrong_key. */
export function openPublicKey({ parameterSet }: ClientBackend, file: Uint8Array, keyId: string | null): Uint8Array {
  const { header, payload } = decodeFile(file, { kind: "public_key", parameterSet });
  if (header.keyId.toHex() === keyId) return payload;
  throw new SottoError("wrong_key", `the public key is of key pair ${header.keyId.toHex()}, the session has ${keyId}`);
}
