/**
 * The part of the port that training uses. Ciphertexts are 2 N words mod q, a then b, their phase b - a s; lwe mod q are N mask words and
 * the body; lwe on the 32-bit torus are those of networks. Every operation is exact integer arithmetic: equal inputs give equal bytes.
 */
import type { CallOptions, Handle, LookupKeys, SecretKey } from "./backend.ts";

/** Keys of the automorphisms X -> X^(2^j + 1) and of the conjugation X -> X^-1. */
export interface TrainingKeys extends Handle {
  readonly brand: "TrainingKeys";
  /** Resident bytes. */
  readonly bytes: number;
}

/** An encrypted polynomial with small integer coefficients that ciphertexts can be multiplied by. */
export interface Rgsw extends Handle {
  readonly brand: "Rgsw";
  /** Resident bytes. */
  readonly bytes: number;
}

/** How an encryption was made: `seeded` with the secret key, or `public` with the public key, twice as long. */
export type EncryptionKind = "seeded" | "public";

/** Words of a ciphertext mod q. */
export const CIPHERTEXT_WORDS = 4096;
/** Words of an lwe mod q. */
export const RING_LWE_WORDS = 2049;
/** Index of the conjugation among the automorphisms. */
export const CONJUGATION = 0;

/** Tables of lookups: `valuesLog` = v interleaves 2^v tables on one rotation. */
export interface LookupTables {
  /** Polynomials of N coefficients in [0, q): coefficient f 2^v + i is table i at phase f 2^v 2^32 / 2N. */
  readonly tables: BigUint64Array;
  /** Polynomial of each lwe. */
  readonly indices: Uint32Array;
  readonly valuesLog: number;
}

/** Nanoseconds of one thread. */
export interface TrainingCosts {
  readonly external_product_ns: number;
  readonly automorphism_ns: number;
  /** Expanding and preparing one rgsw. */
  readonly load_ns: number;
}

/** What the server does. */
export interface TrainingServer {
  /** Bytes of an rgsw record. */
  rgswBytes(kind: EncryptionKind): number;
  /** Refuses a payload of another length with `malformed_file`. */
  loadTrainingKeys(payload: Uint8Array): Promise<TrainingKeys>;
  /** Refuses a record of another length or with coefficients beyond the modulus with `malformed_file`. */
  loadRgsw(kind: EncryptionKind, record: Uint8Array): Promise<Rgsw>;
  /** sum += other, the rgsw of the sum of both polynomials. */
  addRgsw(sum: Rgsw, other: Rgsw): void;
  /** The polynomial of the rgsw times each ciphertext. */
  externalProduct(rgsw: Rgsw, ciphertexts: BigUint64Array): Promise<BigUint64Array>;
  /** Index 0: X -> X^-1; j >= 1: X -> X^(2^j + 1). */
  automorphism(keys: TrainingKeys, index: number, ciphertexts: BigUint64Array): Promise<BigUint64Array>;
  /** Each lwe mod q -> a ciphertext with its message in coefficient 0 and nothing but noise elsewhere. */
  constants(keys: TrainingKeys, lwe: BigUint64Array): Promise<BigUint64Array>;
  /** Times X^exponent, 0 <= exponent < 2N. */
  multiplyMonomial(ciphertexts: BigUint64Array, exponent: number): BigUint64Array;
  /** Word by word mod q; ciphertexts or lwe. */
  add(left: BigUint64Array, right: BigUint64Array): BigUint64Array;
  /** Words times an integer, |factor| < q. */
  scale(words: BigUint64Array, factor: bigint): BigUint64Array;
  /** Coefficients of one ciphertext as lwe mod q. */
  extract(ciphertext: BigUint64Array, positions: Uint32Array): BigUint64Array;
  /** lwe mod q -> lwe on the 32-bit torus. */
  switchToTorus(lwe: BigUint64Array): Uint32Array;
  /** Seeded input records at `bits` -> ciphertexts. */
  expand(records: Uint8Array, bits: number): BigUint64Array;
  /** Values of lwe l at l 2^v + i, as lwe mod q. */
  lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: LookupTables,
    options?: CallOptions,
  ): Promise<BigUint64Array>;
  /** The same on the 32-bit torus. */
  lookupTorus(keys: LookupKeys, lwe: Uint32Array, tables: LookupTables, options?: CallOptions): Promise<Uint32Array>;
  /** Measures once, a tenth of a second, and remembers. */
  costs(): Promise<TrainingCosts>;
}

/** What owners of data and of keys do. */
export interface TrainingClient {
  /** The payload of a training key file, 0.9 MB. */
  generateTrainingKeys(key: SecretKey): Promise<Uint8Array>;
  /** The payload of a public key file: whoever has it encrypts for the owner of the secret key. */
  generatePublicKey(key: SecretKey): Uint8Array;
  /** messages: N coefficients in [-2^15, 2^15]. */
  encryptRgsw(key: SecretKey, messages: Int32Array): Promise<Uint8Array>;
  encryptRgswPublic(publicKey: Uint8Array, messages: Int32Array): Promise<Uint8Array>;
  /** Coefficient j of the ciphertext is messages[j] * scale mod q, the rest zero. */
  encryptPublic(publicKey: Uint8Array, messages: Int32Array, scale: bigint): BigUint64Array;
  /** Phases of all N coefficients of each ciphertext, in [0, q). */
  phases(key: SecretKey, ciphertexts: BigUint64Array): BigUint64Array;
}
