/** The records of the plain back end: those of the real one with zero seeds and masks, so that b is the phase. */
import { COEFFICIENT_BITS, CURRENT } from "../params/mod.ts";
import type { AnswerShape } from "./backend.ts";
import { type AnswerLayout, inputRecordBytes, SEED_BYTES } from "./layout.ts";
import { packBits, packedBytes, unpackBits } from "./packing.ts";

const N = CURRENT.ringDegree;
const Q = Number(CURRENT.modulus);

/** Writes one input record behind a zero seed. */
export function writeInput(record: Uint8Array, messages: Int32Array, scale: bigint, bits: number): void {
  record.set(packBits(roundedInputs(messages, scale, bits), bits), SEED_BYTES);
}

/** round(message * scale mod q / 2^(50 - bits)) mod 2^bits for N coefficients, zero after the messages. */
function roundedInputs(messages: Int32Array, scale: bigint, bits: number): Float64Array {
  const out = new Float64Array(N);
  const unit = 2 ** (COEFFICIENT_BITS - bits);
  const q = CURRENT.modulus;
  messages.forEach((message, j) => {
    const x = Number(((BigInt(message) * scale) % q + q) % q);
    out[j] = Math.round(x / unit) % 2 ** bits;
  });
  return out;
}

/** The coefficients of `count` consecutive input records, centred. */
export function readInputs(records: Uint8Array, count: number, bits: number): Float64Array {
  const recordBytes = inputRecordBytes(bits);
  const unit = 2 ** (COEFFICIENT_BITS - bits);
  const out = new Float64Array(count * N);
  for (let c = 0; c < count; c++) {
    const packed = records.subarray(c * recordBytes + SEED_BYTES, (c + 1) * recordBytes);
    out.set(unpackBits(packed, N, bits).map((x) => centred(x * unit, Q)), c * N);
  }
  return out;
}

/** Bytes of one ciphertext of an answer record: the mask, then b at its useful coefficients. */
export function answerCiphertextBytes(useful: number, bits: number): number {
  return packedBytes(N, bits) + packedBytes(useful, bits);
}

/** Writes round(phase 2^bits / q) mod 2^bits behind a zero mask, ciphertext by ciphertext. */
export function writeAnswers(record: Uint8Array, phasesOfRecord: Float64Array, layout: AnswerLayout): void {
  const top = 2 ** layout.bits;
  let at = 0, first = 0;
  for (const useful of layout.usefulCounts) {
    const part = phasesOfRecord.slice(first, first + useful).map((phase) => {
      const rounded = Math.round(modulo(phase, Q) / Q * top);
      return rounded % top;
    });
    record.set(packBits(part, layout.bits), at + packedBytes(N, layout.bits));
    at += answerCiphertextBytes(useful, layout.bits);
    first += useful;
  }
}

/** The phases of one answer record, centred, in units of the modulus's integers. */
export function readAnswers(record: Uint8Array, shape: AnswerShape): Float64Array {
  const out = new Float64Array(shape.positions.length);
  const top = 2 ** shape.bits;
  let at = 0, first = 0;
  for (const useful of shape.usefulCounts) {
    const packed = record.subarray(at + packedBytes(N, shape.bits));
    out.set(unpackBits(packed, useful, shape.bits).map((x) => centred(x, top) / top * Q), first);
    at += answerCiphertextBytes(useful, shape.bits);
    first += useful;
  }
  return out;
}

function modulo(x: number, modulus: number): number {
  const rest = x % modulus;
  return rest < 0 ? rest + modulus : rest;
}

function centred(x: number, modulus: number): number {
  return x > modulus / 2 ? x - modulus : x;
}
