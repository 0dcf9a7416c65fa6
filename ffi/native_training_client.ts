/** What owners of data and keys do for training, on the native kernels. */
import type { SecretKey } from "../circuits/backend.ts";
import { CIPHERTEXT_WORDS, type EncryptionKind, type TrainingClient } from "../circuits/training_backend.ts";
import { SottoError } from "../errors.ts";
import { check, type Symbols } from "./library.ts";
import { atLeastOne, fixed, type NativeCalls, nativeHandle, type Pointer } from "./native_calls.ts";
import * as structs from "./structs.ts";

const N = CIPHERTEXT_WORDS / 2;
/** `sotto_rgsw_load` names kinds by these. */
export const KINDS: Readonly<Record<EncryptionKind, number>> = { seeded: 0, public: 1 };

/** See the methods of the same names in `TrainingClient`. */
export class NativeTrainingClient implements TrainingClient {
  protected readonly native: Symbols;

  constructor(readonly calls: NativeCalls) {
    this.native = calls.native;
  }

  rgswBytes(kind: EncryptionKind): number {
    return Number(this.native.sotto_rgsw_record_bytes(KINDS[kind]));
  }

  generateTrainingKeys(key: SecretKey): Promise<Uint8Array> {
    const payload = new Uint8Array(Number(this.native.sotto_training_keys_payload_bytes()));
    const size = BigInt(payload.length);
    return this.calls.call(
      "generating training keys",
      payload,
      [],
      [key],
      (context, [secret]) => this.native.sotto_training_keys_generate_async(context, secret, null, payload, size),
    );
  }

  generatePublicKey(key: SecretKey): Uint8Array {
    const record = new Uint8Array(Number(this.native.sotto_record_bytes(50)));
    const secret = nativeHandle(key, "SecretKey").pointer;
    this.check(
      "making a public key",
      (context) => this.native.sotto_public_key_generate(context, secret, null, record, BigInt(record.length)),
    );
    return record;
  }

  encryptRgsw(key: SecretKey, messages: Int32Array): Promise<Uint8Array> {
    const [record, input] = [new Uint8Array(this.rgswBytes("seeded")), fixed(requirePolynomial(messages))];
    return this.calls.call(
      "encrypting data",
      record,
      [input],
      [key],
      (context, [secret]) =>
        this.native.sotto_rgsw_encrypt_async(context, secret, input, null, record, BigInt(record.length)),
    );
  }

  encryptRgswPublic(publicKey: Uint8Array, messages: Int32Array): Promise<Uint8Array> {
    const [record, input] = [new Uint8Array(this.rgswBytes("public")), fixed(requirePolynomial(messages))];
    const [owner, size] = [fixed(publicKey), BigInt(publicKey.length)];
    return this.calls.call(
      "encrypting data",
      record,
      [input, owner],
      [],
      (context) =>
        this.native.sotto_rgsw_encrypt_public_async(context, owner, size, input, null, record, BigInt(record.length)),
    );
  }

  encryptPublic(publicKey: Uint8Array, messages: Int32Array, scale: bigint): BigUint64Array {
    const ciphertext = new BigUint64Array(CIPHERTEXT_WORDS);
    const shape = structs.encryptShape({ ciphertextCount: 1, scale, stride: messages.length, bits: 50 });
    const [owner, size] = [fixed(publicKey), BigInt(publicKey.length)];
    this.check(
      "encrypting labels",
      (context) => this.native.sotto_encrypt_public(context, owner, size, fixed(messages), shape, null, ciphertext),
    );
    return ciphertext;
  }

  phases(key: SecretKey, ciphertexts: BigUint64Array): BigUint64Array {
    const count = wholeCount("phases", ciphertexts, CIPHERTEXT_WORDS);
    const phases = new BigUint64Array(count * N);
    const secret = nativeHandle(key, "SecretKey").pointer;
    this.check(
      "reading phases",
      (context) =>
        this.native.sotto_phase(context, secret, fixed(atLeastOne(ciphertexts)), BigInt(count), atLeastOne(phases)),
    );
    return phases;
  }

  protected check(where: string, run: (context: Pointer) => number): void {
    check(this.native, run(this.calls.context.pointer), where);
  }
}

function requirePolynomial(messages: Int32Array): Int32Array {
  if (messages.length === N) return messages;
  throw new SottoError("backend_failed", `an rgsw holds ${N} integers, not ${messages.length}`);
}

/** How many records of `size` elements there are; anything left over is refused. */
export function wholeCount(what: string, words: { readonly length: number }, size: number): number {
  if (words.length % size === 0) return words.length / size;
  throw new SottoError("backend_failed", `${what}: ${words.length} are no whole number of ${size}`);
}
