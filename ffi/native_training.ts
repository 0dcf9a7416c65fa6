/** The part of the port that training uses: rgsw, external products, automorphisms, sums mod q, lookups with results mod q. */
import type { CallOptions, LookupKeys } from "../circuits/backend.ts";
import {
  CIPHERTEXT_WORDS,
  type EncryptionKind,
  type LookupTables,
  type Rgsw,
  RING_LWE_WORDS,
  type TrainingCosts,
  type TrainingKeys,
  type TrainingServer,
} from "../circuits/training_backend.ts";
import { SottoError } from "../errors.ts";
import { measureTraining } from "./measure_training.ts";
import { atLeastOne, fixed, type NativeCalls, nativeHandle, type Pointer } from "./native_calls.ts";
import { NativeHandle, readPointer } from "./native_handle.ts";
import { NativeTableLookup } from "./native_table_lookup.ts";
import { KINDS, NativeTrainingClient, wholeCount } from "./native_training_client.ts";

class Sized<Brand extends string> extends NativeHandle<Brand> {
  constructor(brand: Brand, pointer: Pointer, destroy: (pointer: Pointer) => void, readonly bytes: number) {
    super(brand, pointer, destroy);
  }
}

/** See the methods of the same names in `TrainingServer` and `TrainingClient`. */
export class NativeTraining extends NativeTrainingClient implements TrainingServer {
  readonly #lookups: NativeTableLookup;
  #costs?: Promise<TrainingCosts>;

  /** `threads`: workers of the back end. */
  constructor(calls: NativeCalls, threads: number) {
    super(calls);
    this.#lookups = new NativeTableLookup(calls, threads);
  }

  async loadTrainingKeys(payload: Uint8Array): Promise<TrainingKeys> {
    const expected = Number(this.native.sotto_training_keys_payload_bytes());
    requireSize("training keys", payload, expected);
    const pointer = await this.#load(
      "loading training keys",
      payload,
      (context, input, out) => this.native.sotto_training_keys_load_async(context, input, BigInt(input.length), out),
    );
    const bytes = Number(this.native.sotto_training_keys_bytes(pointer));
    return new Sized("TrainingKeys", pointer, (p) => this.native.sotto_training_keys_destroy(p), bytes);
  }

  async loadRgsw(kind: EncryptionKind, record: Uint8Array): Promise<Rgsw> {
    requireSize("an rgsw record", record, this.rgswBytes(kind));
    const pointer = await this.#load(
      "loading data",
      record,
      (context, input, out) =>
        this.native.sotto_rgsw_load_async(context, KINDS[kind], input, BigInt(input.length), out),
    );
    const bytes = Number(this.native.sotto_rgsw_bytes(pointer));
    return new Sized("Rgsw", pointer, (p) => this.native.sotto_rgsw_destroy(p), bytes);
  }

  addRgsw(sum: Rgsw, other: Rgsw): void {
    const [left, right] = [nativeHandle(sum, "Rgsw").pointer, nativeHandle(other, "Rgsw").pointer];
    this.check("adding data", (context) => this.native.sotto_rgsw_add(context, left, right));
  }

  externalProduct(rgsw: Rgsw, ciphertexts: BigUint64Array): Promise<BigUint64Array> {
    const count = wholeCount("an external product", ciphertexts, CIPHERTEXT_WORDS);
    return nativeHandle(rgsw, "Rgsw").use((pointer) =>
      this.#results(
        "an external product",
        ciphertexts,
        ciphertexts.length,
        (context, input, results) =>
          this.native.sotto_external_product_async(context, pointer, input, BigInt(count), results),
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
          this.native.sotto_training_automorphism_async(context, pointer, index, input, count, results),
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
          this.native.sotto_trace_pack_async(context, pointer, input, 1n, BigInt(count), results),
      )
    );
  }

  multiplyMonomial(ciphertexts: BigUint64Array, exponent: number): BigUint64Array {
    const count = BigInt(wholeCount("a product by a monomial", ciphertexts, CIPHERTEXT_WORDS));
    return this.#words(
      "a product by a monomial",
      ciphertexts.length,
      (context, results) => this.native.sotto_multiply_monomial(context, fixed(ciphertexts), count, exponent, results),
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
        this.native.sotto_ciphertext_add(context, fixed(left), fixed(right), BigInt(left.length), result),
    );
  }

  scale(words: BigUint64Array, factor: bigint): BigUint64Array {
    return this.#words(
      "a multiple",
      words.length,
      (context, result) =>
        this.native.sotto_scale_ciphertexts(context, fixed(words), BigInt(words.length), factor, result),
    );
  }

  extract(ciphertext: BigUint64Array, positions: Uint32Array): BigUint64Array {
    wholeCount("coefficients", ciphertext, CIPHERTEXT_WORDS);
    return this.#words(
      "coefficients",
      positions.length * RING_LWE_WORDS,
      (context, lwe) =>
        this.native.sotto_extract(context, fixed(ciphertext), fixed(positions), BigInt(positions.length), lwe),
    );
  }

  switchToTorus(lwe: BigUint64Array): Uint32Array {
    const count = BigInt(wholeCount("a modulus switch", lwe, RING_LWE_WORDS));
    const switched = new Uint32Array(lwe.length);
    this.check(
      "a modulus switch",
      (context) => this.native.sotto_switch_to_u32(context, fixed(atLeastOne(lwe)), count, atLeastOne(switched)),
    );
    return switched;
  }

  expand(records: Uint8Array, bits: number): BigUint64Array {
    const count = wholeCount("records", records, Number(this.native.sotto_record_bytes(bits)));
    const size = BigInt(records.length);
    return this.#words(
      "expanding records",
      count * CIPHERTEXT_WORDS,
      (context, ciphertexts) =>
        this.native.sotto_expand(context, fixed(records), size, bits, ciphertexts, BigInt(count)),
    );
  }

  lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<BigUint64Array> {
    return this.#lookups.modular(keys, lwe, tables, options);
  }

  lookupTorus(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<Uint32Array> {
    return this.#lookups.torus(keys, lwe, tables, options);
  }

  costs(): Promise<TrainingCosts> {
    return this.#costs ??= measureTraining(this);
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
    if (words > 0) this.check(where, (context) => run(context, results));
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
}

function requireSize(what: string, bytes: Uint8Array, expected: number): void {
  if (bytes.length === expected) return;
  throw new SottoError("malformed_file", `${what} have ${bytes.length} bytes, ${expected} are needed`);
}
