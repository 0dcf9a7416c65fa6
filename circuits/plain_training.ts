/** Training on clear polynomials: every mask is zero, so b is the message; arithmetic mod q is exact. */
import { randomBytes } from "node:crypto";
import { SottoError } from "../errors.ts";
import { COEFFICIENT_BITS, CURRENT } from "../params/mod.ts";
import { type CallOptions, type LookupKeys, LWE_WORDS, type SecretKey } from "./backend.ts";
import { inputRecordBytes, rgswRecordBytes, SEED_BYTES, trainingKeysBytes } from "./layout.ts";
import { unpackBits } from "./packing.ts";
import { contentOf, PlainHandle, requireBytes, step } from "./plain_handle.ts";
import {
  CIPHERTEXT_WORDS,
  CONJUGATION,
  type EncryptionKind,
  type LookupTables,
  type Rgsw,
  RING_LWE_WORDS,
  type TrainingClient,
  type TrainingCosts,
  type TrainingKeys,
  type TrainingServer,
} from "./training_backend.ts";

const N = CURRENT.ringDegree;
const Q = CURRENT.modulus;
/** Largest coefficient of an rgsw. */
const MESSAGE_MAX = 2 ** 15;

/** The `training` part of the plain back end. */
export class PlainTraining implements TrainingServer, TrainingClient {
  rgswBytes(kind: EncryptionKind): number {
    return rgswRecordBytes(kind);
  }

  async generateTrainingKeys(key: SecretKey): Promise<Uint8Array> {
    await Promise.resolve();
    contentOf(key);
    const payload = new Uint8Array(trainingKeysBytes());
    payload.set(randomBytes(SEED_BYTES));
    return payload;
  }

  async loadTrainingKeys(payload: Uint8Array): Promise<TrainingKeys> {
    await Promise.resolve();
    requireBytes("a training key payload", payload, trainingKeysBytes());
    return new PlainHandle("TrainingKeys", null, payload.length);
  }

  generatePublicKey(key: SecretKey): Uint8Array {
    contentOf(key);
    const record = new Uint8Array(inputRecordBytes(COEFFICIENT_BITS));
    record.set(randomBytes(SEED_BYTES));
    return record;
  }

  async encryptRgsw(key: SecretKey, messages: Int32Array): Promise<Uint8Array> {
    await Promise.resolve();
    contentOf(key);
    return rgswRecord("seeded", messages);
  }

  async encryptRgswPublic(publicKey: Uint8Array, messages: Int32Array): Promise<Uint8Array> {
    await Promise.resolve();
    requireBytes("the public key", publicKey, inputRecordBytes(COEFFICIENT_BITS));
    return rgswRecord("public", messages);
  }

  encryptPublic(publicKey: Uint8Array, messages: Int32Array, scale: bigint): BigUint64Array {
    requireBytes("the public key", publicKey, inputRecordBytes(COEFFICIENT_BITS));
    const ciphertext = new BigUint64Array(CIPHERTEXT_WORDS);
    messages.forEach((message, j) => ciphertext[N + j] = canonical(BigInt(message) * scale));
    return ciphertext;
  }

  phases(key: SecretKey, ciphertexts: BigUint64Array): BigUint64Array {
    contentOf(key);
    const phases = new BigUint64Array(ciphertexts.length / 2);
    forEach(ciphertexts, (b, i) => phases.set(b, i * N));
    return phases;
  }

  async loadRgsw(kind: EncryptionKind, record: Uint8Array): Promise<Rgsw> {
    await Promise.resolve();
    requireBytes("an rgsw record", record, rgswRecordBytes(kind));
    const view = new DataView(record.buffer, record.byteOffset + SEED_BYTES);
    const messages = Float64Array.from({ length: N }, (_, i) => view.getInt32(4 * i, true));
    return new PlainHandle("Rgsw", messages, messages.byteLength);
  }

  addRgsw(sum: Rgsw, other: Rgsw): void {
    const messages = contentOf<Float64Array>(sum);
    contentOf<Float64Array>(other).forEach((message, i) => messages[i] += message);
  }

  async externalProduct(rgsw: Rgsw, ciphertexts: BigUint64Array): Promise<BigUint64Array> {
    await Promise.resolve();
    const factor = terms(BigInt64Array.from(contentOf<Float64Array>(rgsw), BigInt));
    return map(ciphertexts, (b) => {
      const sums = new Array<bigint>(N).fill(0n);
      for (const [i, x] of terms(BigInt64Array.from(b, centred))) {
        for (const [j, y] of factor) {
          if (i + j < N) sums[i + j] += x * y;
          else sums[i + j - N] -= x * y;
        }
      }
      return BigUint64Array.from(sums, canonical);
    });
  }

  async automorphism(keys: TrainingKeys, index: number, ciphertexts: BigUint64Array): Promise<BigUint64Array> {
    await Promise.resolve();
    contentOf(keys);
    const exponent = index === CONJUGATION ? 2 * N - 1 : 2 ** index + 1;
    return map(ciphertexts, (b) => {
      const image = new BigUint64Array(N);
      b.forEach((x, i) => put(image, i * exponent, x));
      return image;
    });
  }

  async constants(keys: TrainingKeys, lwe: BigUint64Array): Promise<BigUint64Array> {
    await Promise.resolve();
    contentOf(keys);
    const ciphertexts = new BigUint64Array(lwe.length / RING_LWE_WORDS * CIPHERTEXT_WORDS);
    forEach(ciphertexts, (b, i) => b[0] = lwe[i * RING_LWE_WORDS + N]);
    return ciphertexts;
  }

  multiplyMonomial(ciphertexts: BigUint64Array, exponent: number): BigUint64Array {
    return map(ciphertexts, (b) => {
      const product = new BigUint64Array(N);
      b.forEach((x, i) => put(product, i + exponent, x));
      return product;
    });
  }

  add(left: BigUint64Array, right: BigUint64Array): BigUint64Array {
    return left.map((x, i) => (x + right[i]) % Q);
  }

  scale(words: BigUint64Array, factor: bigint): BigUint64Array {
    return words.map((x) => x === 0n ? x : canonical(x * factor));
  }

  extract(ciphertext: BigUint64Array, positions: Uint32Array): BigUint64Array {
    const lwe = new BigUint64Array(positions.length * RING_LWE_WORDS);
    positions.forEach((position, i) => lwe[i * RING_LWE_WORDS + N] = ciphertext[N + position]);
    return lwe;
  }

  switchToTorus(lwe: BigUint64Array): Uint32Array {
    const out = new Uint32Array(lwe.length);
    for (let i = N; i < lwe.length; i += RING_LWE_WORDS) out[i] = toTorus(lwe[i]);
    return out;
  }

  expand(records: Uint8Array, bits: number): BigUint64Array {
    const bytes = inputRecordBytes(bits);
    const count = records.length / bytes;
    if (!Number.isInteger(count)) throw new SottoError("malformed_file", `records must have ${bytes} bytes each`);
    const ciphertexts = new BigUint64Array(count * CIPHERTEXT_WORDS);
    forEach(ciphertexts, (b, i) => {
      const words = unpackBits(records.subarray(i * bytes + SEED_BYTES, (i + 1) * bytes), N, bits);
      words.forEach((word, j) => b[j] = BigInt(word) << BigInt(COEFFICIENT_BITS - bits));
    });
    return ciphertexts;
  }

  async lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<BigUint64Array> {
    await step(options, 0);
    contentOf(keys);
    const results = new BigUint64Array((tables.indices.length << tables.valuesLog) * RING_LWE_WORDS);
    lookUp(lwe, tables).forEach((value, i) => results[i * RING_LWE_WORDS + N] = value);
    await step(options, 1);
    return results;
  }

  async lookupTorus(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options: CallOptions = {},
  ): Promise<Uint32Array> {
    return this.switchToTorus(await this.lookup(keys, lwe, tables, options));
  }

  costs(): Promise<TrainingCosts> {
    return Promise.resolve({ external_product_ns: 45_000, automorphism_ns: 35_000, load_ns: 400_000 });
  }
}

function rgswRecord(kind: EncryptionKind, messages: Int32Array): Uint8Array {
  if (messages.length !== N || messages.some((message) => Math.abs(message) > MESSAGE_MAX)) {
    throw new SottoError("backend_failed", `an rgsw holds ${N} integers from -${MESSAGE_MAX} to ${MESSAGE_MAX}`);
  }
  const record = new Uint8Array(rgswRecordBytes(kind));
  const view = new DataView(record.buffer, SEED_BYTES);
  messages.forEach((message, i) => view.setInt32(4 * i, message, true));
  return record;
}

/** The values of all lookups, in [0, q). */
function lookUp(lwe: Uint32Array, { tables, indices, valuesLog }: LookupTables): BigUint64Array {
  const values = new BigUint64Array(indices.length << valuesLog);
  const step = 2 ** (32 - Math.log2(2 * N) + valuesLog);
  indices.forEach((table, l) => {
    const position = (Math.round(lwe[l * LWE_WORDS + LWE_WORDS - 1] / step) << valuesLog) % (2 * N);
    for (let i = 0; i < 1 << valuesLog; i++) {
      const coefficient = tables[table * N + position % N + i];
      values[(l << valuesLog) + i] = position < N ? coefficient : canonical(-coefficient);
    }
  });
  return values;
}

/** round(x 2^32 / q) mod 2^32. */
function toTorus(x: bigint): number {
  return Number((((x << 33n) + Q) / (2n * Q)) & 0xffffffffn);
}

/** Non-zero terms of a polynomial. */
function terms(coefficients: BigInt64Array): [number, bigint][] {
  const found: [number, bigint][] = [];
  coefficients.forEach((x, i) => x !== 0n && found.push([i, x]));
  return found;
}

/** Adds x X^exponent, X^N = -1. */
function put(polynomial: BigUint64Array, exponent: number, x: bigint): void {
  const at = exponent % (2 * N);
  if (at < N) polynomial[at] = x;
  else polynomial[at - N] = canonical(-x);
}

function forEach(ciphertexts: BigUint64Array, visit: (b: BigUint64Array, index: number) => void): void {
  for (let i = 0; i * CIPHERTEXT_WORDS < ciphertexts.length; i++) {
    visit(ciphertexts.subarray(i * CIPHERTEXT_WORDS + N, (i + 1) * CIPHERTEXT_WORDS), i);
  }
}

function map(ciphertexts: BigUint64Array, change: (b: BigUint64Array) => BigUint64Array): BigUint64Array {
  const results = new BigUint64Array(ciphertexts.length);
  forEach(ciphertexts, (b, i) => results.set(change(b), i * CIPHERTEXT_WORDS + N));
  return results;
}

function canonical(x: bigint): bigint {
  const rest = x % Q;
  return rest < 0n ? rest + Q : rest;
}

function centred(x: bigint): bigint {
  return x > Q / 2n ? x - Q : x;
}
