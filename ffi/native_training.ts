/** The part of the port that training uses: rgsw, external products, automorphisms, sums mod q, lookups with results mod q. */
import type { CallOptions, LookupKeys, SecretKey } from "../circuits/backend.ts";
import {
  CIPHERTEXT_WORDS,
  type EncryptionKind,
  type LookupTables,
  type Rgsw,
  RING_LWE_WORDS,
  type TrainingClient,
  type TrainingCosts,
  type TrainingKeys,
  type TrainingServer,
} from "../circuits/training_backend.ts";
import { SottoError } from "../errors.ts";
import { check, type Symbols } from "./library.ts";
import { measureTraining } from "./measure_training.ts";
import { atLeastOne, fixed, type NativeCalls, nativeHandle, type Pointer } from "./native_calls.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";
import * as structs from "./structs.ts";

const N = CIPHERTEXT_WORDS / 2;
/** `sotto_rgsw_load` names kinds by these. */
const KINDS: Readonly<Record<EncryptionKind, number>> = { seeded: 0, public: 1 };

class Sized<Brand extends string> extends NativeHandle<Brand> {
  constructor(brand: Brand, pointer: Pointer, destroy: (pointer: Pointer) => void, readonly bytes: number) {
    super(brand, pointer, destroy);
  }
}

/** See the methods of the same names in `TrainingServer` and `TrainingClient`. */
export class NativeTraining implements TrainingServer, TrainingClient {
  readonly #native: Symbols;
  #costs?: Promise<TrainingCosts>;
  constructor(readonly calls: NativeCalls) {
    this.#native = calls.native;
  }

  rgswBytes(kind: EncryptionKind): number {
    return Number(this.#native.sotto_rgsw_record_bytes(KINDS[kind]));
  }

  generateTrainingKeys(key: SecretKey): Promise<Uint8Array> {
    const payload = new Uint8Array(Number(this.#native.sotto_training_keys_payload_bytes()));
    const size = BigInt(payload.length);
    return this.calls.call(
      "generating training keys",
      payload,
      [],
      [key],
      (context, [secret]) => this.#native.sotto_training_keys_generate_async(context, secret, null, payload, size),
    );
  }

  async loadTrainingKeys(payload: Uint8Array): Promise<TrainingKeys> {
    const expected = Number(this.#native.sotto_training_keys_payload_bytes());
    requireSize("training keys", payload, expected);
    const pointer = await this.#load(
      "loading training keys",
      payload,
      (context, input, out) => this.#native.sotto_training_keys_load_async(context, input, BigInt(input.length), out),
    );
    const bytes = Number(this.#native.sotto_training_keys_bytes(pointer));
    return new Sized("TrainingKeys", pointer, (p) => this.#native.sotto_training_keys_destroy(p), bytes);
  }

  generatePublicKey(key: SecretKey): Uint8Array {
    const record = new Uint8Array(Number(this.#native.sotto_record_bytes(50)));
    const secret = nativeHandle(key, "SecretKey").pointer;
    this.#check(
      "making a public key",
      (context) => this.#native.sotto_public_key_generate(context, secret, null, record, BigInt(record.length)),
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
        this.#native.sotto_rgsw_encrypt_async(context, secret, input, null, record, BigInt(record.length)),
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
        this.#native.sotto_rgsw_encrypt_public_async(context, owner, size, input, null, record, BigInt(record.length)),
    );
  }

  encryptPublic(publicKey: Uint8Array, messages: Int32Array, scale: bigint): BigUint64Array {
    const ciphertext = new BigUint64Array(CIPHERTEXT_WORDS);
    const shape = structs.encryptShape({ ciphertextCount: 1, scale, stride: messages.length, bits: 50 });
    const [owner, size] = [fixed(publicKey), BigInt(publicKey.length)];
    this.#check(
      "encrypting labels",
      (context) => this.#native.sotto_encrypt_public(context, owner, size, fixed(messages), shape, null, ciphertext),
    );
    return ciphertext;
  }

  phases(key: SecretKey, ciphertexts: BigUint64Array): BigUint64Array {
    const count = wholeCount("phases", ciphertexts, CIPHERTEXT_WORDS);
    const phases = new BigUint64Array(count * N);
    const secret = nativeHandle(key, "SecretKey").pointer;
    this.#check(
      "reading phases",
      (context) =>
        this.#native.sotto_phase(context, secret, fixed(atLeastOne(ciphertexts)), BigInt(count), atLeastOne(phases)),
    );
    return phases;
  }

  async loadRgsw(kind: EncryptionKind, record: Uint8Array): Promise<Rgsw> {
    requireSize("an rgsw record", record, this.rgswBytes(kind));
    const pointer = await this.#load(
      "loading data",
      record,
      (context, input, out) =>
        this.#native.sotto_rgsw_load_async(context, KINDS[kind], input, BigInt(input.length), out),
    );
    const bytes = Number(this.#native.sotto_rgsw_bytes(pointer));
    return new Sized("Rgsw", pointer, (p) => this.#native.sotto_rgsw_destroy(p), bytes);
  }

  addRgsw(sum: Rgsw, other: Rgsw): void {
    const [left, right] = [nativeHandle(sum, "Rgsw").pointer, nativeHandle(other, "Rgsw").pointer];
    this.#check("adding data", (context) => this.#native.sotto_rgsw_add(context, left, right));
  }

  externalProduct(rgsw: Rgsw, ciphertexts: BigUint64Array): Promise<BigUint64Array> {
    const count = wholeCount("an external product", ciphertexts, CIPHERTEXT_WORDS);
    return nativeHandle(rgsw, "Rgsw").use((pointer) =>
      this.#results(
        "an external product",
        ciphertexts,
        ciphertexts.length,
        (context, input, results) =>
          this.#native.sotto_external_product_async(context, pointer, input, BigInt(count), results),
      )
    );
  }

  automorphism(keys: TrainingKeys, index: number, ciphertexts: BigUint64Array): Promise<BigUint64Array> {
    const count = BigInt(wholeCount("an automorphism", ciphertexts, CIPHERTEXT_WORDS));
    return nativeHandle(keys, "TrainingKeys").use((pointer) =>
      this.#results(
        "an automorphism",
        ciphertexts,
        ciphertexts.length,
        (context, input, results) =>
          this.#native.sotto_training_automorphism_async(context, pointer, index, input, count, results),
      )
    );
  }

  constants(keys: TrainingKeys, lwe: BigUint64Array): Promise<BigUint64Array> {
    const count = wholeCount("constants", lwe, RING_LWE_WORDS);
    return nativeHandle(keys, "TrainingKeys").use((pointer) =>
      this.#results(
        "a trace",
        lwe,
        count * CIPHERTEXT_WORDS,
        (context, input, results) =>
          this.#native.sotto_trace_pack_async(context, pointer, input, 1n, BigInt(count), results),
      )
    );
  }

  multiplyMonomial(ciphertexts: BigUint64Array, exponent: number): BigUint64Array {
    const count = BigInt(wholeCount("a product by a monomial", ciphertexts, CIPHERTEXT_WORDS));
    return this.#words(
      "a product by a monomial",
      ciphertexts.length,
      (context, results) => this.#native.sotto_multiply_monomial(context, fixed(ciphertexts), count, exponent, results),
    );
  }

  add(left: BigUint64Array, right: BigUint64Array): BigUint64Array {
    if (left.length !== right.length) {
      throw new SottoError("backend_failed", `a sum: ${left.length} words and ${right.length} words`);
    }
    return this.#words(
      "a sum",
      left.length,
      (context, result) =>
        this.#native.sotto_ciphertext_add(context, fixed(left), fixed(right), BigInt(left.length), result),
    );
  }

  scale(words: BigUint64Array, factor: bigint): BigUint64Array {
    return this.#words(
      "a multiple",
      words.length,
      (context, result) =>
        this.#native.sotto_scale_ciphertexts(context, fixed(words), BigInt(words.length), factor, result),
    );
  }

  extract(ciphertext: BigUint64Array, positions: Uint32Array): BigUint64Array {
    wholeCount("coefficients", ciphertext, CIPHERTEXT_WORDS);
    return this.#words(
      "coefficients",
      positions.length * RING_LWE_WORDS,
      (context, lwe) =>
        this.#native.sotto_extract(context, fixed(ciphertext), fixed(positions), BigInt(positions.length), lwe),
    );
  }

  switchToTorus(lwe: BigUint64Array): Uint32Array {
    const count = BigInt(wholeCount("a modulus switch", lwe, RING_LWE_WORDS));
    const switched = new Uint32Array(lwe.length);
    this.#check(
      "a modulus switch",
      (context) => this.#native.sotto_switch_to_u32(context, fixed(atLeastOne(lwe)), count, atLeastOne(switched)),
    );
    return switched;
  }

  expand(records: Uint8Array, bits: number): BigUint64Array {
    const count = wholeCount("records", records, Number(this.#native.sotto_record_bytes(bits)));
    const size = BigInt(records.length);
    return this.#words(
      "expanding records",
      count * CIPHERTEXT_WORDS,
      (context, ciphertexts) =>
        this.#native.sotto_expand(context, fixed(records), size, bits, ciphertexts, BigInt(count)),
    );
  }

  async lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<BigUint64Array> {
    const results = new BigUint64Array((tables.indices.length << tables.valuesLog) * RING_LWE_WORDS);
    await this.#lookup(keys, lwe, tables, 1, results, options);
    return results;
  }

  async lookupTorus(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<Uint32Array> {
    const results = new Uint32Array((tables.indices.length << tables.valuesLog) * RING_LWE_WORDS);
    await this.#lookup(keys, lwe, tables, 0, results, options);
    return results;
  }

  costs(): Promise<TrainingCosts> {
    return this.#costs ??= measureTraining(this);
  }

  async #lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    { tables, indices, valuesLog }: LookupTables,
    modulus: number,
    results: BigUint64Array | Uint32Array,
    options: CallOptions,
  ): Promise<void> {
    const count = wholeCount("a lookup", lwe, RING_LWE_WORDS);
    if (count !== indices.length) throw new SottoError("backend_failed", `${count} lwe with ${indices.length} tables`);
    const tableCount = wholeCount("tables", tables, N);
    const head = structs.lookupShape({ count, tableCount, valuesLog, modulus, threads: options.threads ?? 0 });
    const [input, table, index] = [fixed(atLeastOne(lwe)), fixed(tables), fixed(atLeastOne(indices))];
    const out = fixed(atLeastOne(results)) as typeof results & ArrayBufferView<ArrayBuffer>;
    await nativeHandle(keys, "LookupKeys").use((pointer) =>
      this.calls.job("looking up", [input, table, index, head, out], options, (job) =>
        this.#native.sotto_lookup_submit(
          this.calls.context.pointer,
          pointer,
          input,
          table,
          index,
          head,
          out,
          BigInt(results.byteLength),
          job,
        ))
    );
  }

  /** An asynchronous call that reads `input` and writes as many words as its results have. */
  #results(
    where: string,
    input: BigUint64Array,
    words: number,
    run: (
      context: Pointer,
      input: BigUint64Array<ArrayBuffer>,
      results: BigUint64Array<ArrayBuffer>,
    ) => Promise<number>,
  ): Promise<BigUint64Array> {
    const results = new BigUint64Array(words);
    const read = fixed(atLeastOne(input)) as BigUint64Array<ArrayBuffer>;
    return this.calls.call(where, results, [read], [], (context) => run(context, read, results));
  }

  /** A short call that writes words. */
  #words(
    where: string,
    words: number,
    run: (context: Pointer, results: BigUint64Array<ArrayBuffer>) => number,
  ): BigUint64Array {
    const results = new BigUint64Array(words);
    if (words > 0) this.#check(where, (context) => run(context, results));
    return results;
  }

  async #load(
    where: string,
    record: Uint8Array,
    run: (context: Pointer, input: Uint8Array<ArrayBuffer>, out: BigUint64Array<ArrayBuffer>) => Promise<number>,
  ): Promise<Pointer> {
    const [input, out] = [fixed(record) as Uint8Array<ArrayBuffer>, new BigUint64Array(1)];
    await this.calls.call(where, out, [input], [], (context) => run(context, input, out));
    return readPointer(out);
  }

  #check(where: string, run: (context: Pointer) => number): void {
    check(this.#native, run(this.calls.context.pointer), where);
  }
}

function requireSize(what: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return;
  throw new SottoError("malformed_file", `${what} have ${bytes.length} bytes, ${expected} are needed`);
}

function requirePolynomial(messages: Int32Array): Int32Array {
  if (messages.length === N) return messages;
  throw new SottoError("backend_failed", `an rgsw holds ${N} integers, not ${messages.length}`);
}

function wholeCount(what: string, words: { readonly length: number }, size: number): number {
  if (words.length % size === 0) return words.length / size;
  throw new SottoError("backend_failed", `${what}: ${words.length} are no whole number of ${size}`);
}
