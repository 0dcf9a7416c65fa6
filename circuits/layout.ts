/** Sizes of records and places of answers, as `docs/files.md` says. Both sides compute them with these functions. */
import {
  COEFFICIENT_BITS,
  CURRENT,
  CURRENT_LWE,
  type Gadget,
  type LweParameterSet,
  type ParameterSet,
} from "../params/mod.ts";
import type { AnswerShape, LookupSetting } from "./backend.ts";
import { packedBytes } from "./packing.ts";
import type { EncryptionKind } from "./training_backend.ts";

/** Bytes of the seed of a mask. */
export const SEED_BYTES = 32;

/** Bytes of one seeded input ciphertext: the seed, then N coefficients of b. */
export function inputRecordBytes(bits: number, ringDegree: number = CURRENT.ringDegree): number {
  return SEED_BYTES + packedBytes(ringDegree, bits);
}

/** Bytes of the payload of an evaluation key file at 50 bits: log2 N automorphisms, level_count rows each, and an encryption of zero. */
export function evaluationKeysBytes(parameters: ParameterSet = CURRENT): number {
  const rows = parameters.logDegree * parameters.gadgets.trees.levelCount + 1;
  return SEED_BYTES + rows * packedBytes(parameters.ringDegree, COEFFICIENT_BITS);
}

/**
 * Bytes of the payload of a lookup key file: the seed, N keyswitch_levels words of the key that switches to the small secret, and
 * for each bit of that secret 2 level_count polynomials at 50 bits.
 */
export function lookupKeysBytes(
  setting: LookupSetting,
  parameters: ParameterSet = CURRENT,
  small: LweParameterSet = CURRENT_LWE,
): number {
  const switching = parameters.ringDegree * small.keyswitch.levelCount * 4;
  const rows = small.dimension * 2 * lookupGadget(setting, parameters).levelCount;
  return SEED_BYTES + switching + rows * packedBytes(parameters.ringDegree, COEFFICIENT_BITS);
}

/** Bytes of the payload of a training key file: the seed, log2 N + 1 automorphisms of level_count rows each at 50 bits. */
export function trainingKeysBytes(parameters: ParameterSet = CURRENT): number {
  const rows = (parameters.logDegree + 1) * parameters.gadgets.training_pack.levelCount;
  return SEED_BYTES + rows * packedBytes(parameters.ringDegree, COEFFICIENT_BITS);
}

/** Bytes of an rgsw record at 50 bits: the seed and 2 level_count bodies, or as many masks and bodies. */
export function rgswRecordBytes(kind: EncryptionKind, parameters: ParameterSet = CURRENT): number {
  const row = packedBytes(parameters.ringDegree, COEFFICIENT_BITS);
  const rows = 2 * parameters.gadgets.rgsw.levelCount;
  return kind === "seeded" ? SEED_BYTES + rows * row : 2 * rows * row;
}

/** The gadget of the rotation in a setting. */
export function lookupGadget(setting: LookupSetting, parameters: ParameterSet = CURRENT): Gadget {
  const { lookup, lookup_wide, lookup_training } = parameters.gadgets;
  return [lookup, lookup_wide, lookup_training][setting - 1];
}

/** Bytes of the payload of an unsealed secret key file. */
export function secretKeyBytes(parameters: ParameterSet = CURRENT): number {
  return parameters.ringDegree;
}

/** D', the columns of a product rounded up to a power of two, at most N. */
export function paddedColumns(columnCount: number, ringDegree: number = CURRENT.ringDegree): number {
  return Math.min(ringDegree, 2 ** Math.ceil(Math.log2(Math.max(1, columnCount))));
}

export interface AnswerLayout extends AnswerShape {
  /** Clear products a record. */
  readonly productCount: number;
  readonly recordBytes: number;
}

/**
 * Where the outputs of one row of a tree model lie. k = N / D' outputs share a product, at most D' products share a ciphertext;
 * product i of M, slot j lies at coefficient j D' + i D' / 2^m with m = ceil(log2 M). Outputs are listed (and their
 * coefficients of b are packed) in order.
 */
export function answerLayout(
  shape: { outputs: number; columnCount: number; ringDegree?: number; bits: number },
): AnswerLayout {
  const ringDegree = shape.ringDegree ?? CURRENT.ringDegree;
  const padded = paddedColumns(shape.columnCount, ringDegree);
  const perProduct = ringDegree / padded;
  const positions = new Uint32Array(shape.outputs);
  const usefulCounts: number[] = [];
  for (let first = 0; first < shape.outputs; first += ringDegree) {
    const useful = Math.min(ringDegree, shape.outputs - first);
    const stride = padded / 2 ** packLevels(Math.ceil(useful / perProduct));
    for (let o = 0; o < useful; o++) {
      positions[first + o] = (o % perProduct) * padded + Math.floor(o / perProduct) * stride;
    }
    usefulCounts.push(useful);
  }
  const productCount = Math.ceil(shape.outputs / perProduct);
  return {
    usefulCounts,
    positions,
    productCount,
    bits: shape.bits,
    recordBytes: answerBytes(usefulCounts, shape.bits, ringDegree),
  };
}

/** Where the outputs of one input ciphertext of a linear model lie: a ciphertext a score, row r at coefficient r D'. */
export function linearAnswerLayout(
  shape: { scoreCount: number; columnCount: number; ringDegree?: number; bits: number },
): AnswerLayout {
  const ringDegree = shape.ringDegree ?? CURRENT.ringDegree;
  const padded = paddedColumns(shape.columnCount, ringDegree);
  const rows = ringDegree / padded;
  const usefulCounts = new Array<number>(shape.scoreCount).fill(rows);
  const positions = Uint32Array.from({ length: shape.scoreCount * rows }, (_, i) => (i % rows) * padded);
  const recordBytes = answerBytes(usefulCounts, shape.bits, ringDegree);
  return { usefulCounts, positions, productCount: shape.scoreCount, bits: shape.bits, recordBytes };
}

/** Where the outputs of one row of a network lie: one ciphertext, output i at coefficient i N / 2^m, m = ceil(log2 count). */
export function lweAnswerLayout(count: number, bits: number, ringDegree: number = CURRENT.ringDegree): AnswerLayout {
  return answerLayout({ outputs: count, columnCount: ringDegree, ringDegree, bits });
}

/** Bytes of the answer record of one input ciphertext of a linear model. */
export function linearAnswerRecordBytes(
  shape: { scoreCount: number; columnCount: number; ringDegree?: number; bits: number },
): number {
  return linearAnswerLayout(shape).recordBytes;
}

/** Merge levels that pack M products: ceil(log2 M). */
export function packLevels(products: number): number {
  return products <= 1 ? 0 : 32 - Math.clz32(products - 1);
}

function answerBytes(usefulCounts: readonly number[], bits: number, ringDegree: number): number {
  const mask = packedBytes(ringDegree, bits);
  return usefulCounts.reduce((sum, useful) => sum + mask + packedBytes(useful, bits), 0);
}
