/** One encrypted batch: data by chunk, labels, each from one owner or from several whose sum counts. */
import { SottoError } from "../../errors.ts";
import { COEFFICIENT_BITS, CURRENT } from "../../params/mod.ts";
import type { ServerBackend } from "../backend.ts";
import { inputRecordBytes, SEED_BYTES } from "../layout.ts";
import { packBits, packedBytes, unpackBits } from "../packing.ts";
import { CIPHERTEXT_WORDS, type EncryptionKind, type Rgsw } from "../training_backend.ts";

const N = CURRENT.ringDegree;

/** One owner's part. */
export interface EncryptedRecord {
  readonly kind: EncryptionKind;
  readonly record: Uint8Array;
}

export interface EncryptedBatch {
  /** Rgsw records, chunk by chunk; the owners' parts of a chunk are added. */
  readonly chunks: readonly (readonly EncryptedRecord[])[];
  /** Labels of row i and score c at coefficient i C + c; the owners' parts are added. */
  readonly labels: readonly EncryptedRecord[];
}

/** Bytes of a label record: the mask (its seed, or its N coefficients) and the bodies of the labels alone, at 50 bits. */
export function labelBytes(kind: EncryptionKind, count: number): number {
  const mask = kind === "seeded" ? SEED_BYTES : packedBytes(N, COEFFICIENT_BITS);
  return mask + packedBytes(count, COEFFICIENT_BITS);
}

/** The first `count` bodies of a seeded input record at 50 bits. */
export function seededLabels(record: Uint8Array, count: number): EncryptedRecord {
  return { kind: "seeded", record: record.slice(0, labelBytes("seeded", count)) };
}

/** The mask and the first `count` bodies of a ciphertext. */
export function publicLabels(ciphertext: BigUint64Array, count: number): EncryptedRecord {
  const mask = packBits(Float64Array.from(ciphertext.subarray(0, N), Number), COEFFICIENT_BITS);
  const body = packBits(Float64Array.from(ciphertext.subarray(N, N + count), Number), COEFFICIENT_BITS);
  const record = new Uint8Array(mask.length + body.length);
  record.set(mask);
  record.set(body, mask.length);
  return { kind: "public", record };
}

/**
 * The lwe mod q of all labels of a batch.
 * @throws SottoError `malformed_file` for a record of another length
 */
export function labelLwe(backend: ServerBackend, labels: readonly EncryptedRecord[], count: number): BigUint64Array {
  const { training } = backend;
  const positions = Uint32Array.from({ length: count }, (_, i) => i);
  const parts = labels.map((part) => training.extract(labelCiphertext(backend, part, count), positions));
  if (parts.length === 0) throw new SottoError("malformed_file", "a batch has no labels");
  return parts.reduce((sum, part) => training.add(sum, part));
}

/** A ciphertext whose first `count` coefficients are the labels; the others are unknown to everyone. */
function labelCiphertext(backend: ServerBackend, { kind, record }: EncryptedRecord, count: number): BigUint64Array {
  const expected = labelBytes(kind, count);
  if (record.length !== expected) {
    throw new SottoError("malformed_file", `a label record has ${record.length} bytes, ${expected} are needed`);
  }
  if (kind === "seeded") {
    const whole = new Uint8Array(inputRecordBytes(COEFFICIENT_BITS));
    whole.set(record);
    return backend.training.expand(whole, COEFFICIENT_BITS);
  }
  const ciphertext = new BigUint64Array(CIPHERTEXT_WORDS);
  const mask = packedBytes(N, COEFFICIENT_BITS);
  const fill = (at: number, words: Float64Array) => words.forEach((word, i) => ciphertext[at + i] = canonical(word));
  fill(0, unpackBits(record.subarray(0, mask), N, COEFFICIENT_BITS));
  fill(N, unpackBits(record.subarray(mask), count, COEFFICIENT_BITS));
  return ciphertext;
}

function canonical(word: number): bigint {
  const value = BigInt(word);
  if (value < CURRENT.modulus) return value;
  throw new SottoError("malformed_file", "a label has a coefficient beyond the modulus");
}

/** The data of one chunk, ready for products. Close it. */
export async function loadChunk(backend: ServerBackend, parts: readonly EncryptedRecord[]): Promise<Rgsw> {
  const [first, ...others] = parts;
  if (first === undefined) throw new SottoError("malformed_file", "a chunk of a batch has no data");
  const sum = await backend.training.loadRgsw(first.kind, first.record);
  try {
    for (const { kind, record } of others) {
      using part = await backend.training.loadRgsw(kind, record);
      backend.training.addRgsw(sum, part);
    }
    return sum;
  } catch (error) {
    sum.close();
    throw error;
  }
}
