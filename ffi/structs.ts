/** The plain structs of the C header, written and read field by field (little-endian, natural alignment). */
import type { AttentionShape, FloatProduct } from "../circuits/finetune/float_kernels.ts";
import type { TokenMasks, TokenRequest } from "../circuits/finetune/backend.ts";
import type { LayerRange, LayerSpec, LeafMatrixSpec, UnitCosts } from "../circuits/backend.ts";

class Struct {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }
  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }
  f32(offset: number, value: number): this {
    this.#view.setFloat32(offset, value, true);
    return this;
  }
  f64(offset: number, value: number): this {
    this.#view.setFloat64(offset, value, true);
    return this;
  }
  u64(offset: number, value: number | bigint): this {
    this.#view.setBigUint64(offset, BigInt(value), true);
    return this;
  }
  text(offset: number, value: string, size: number): this {
    this.bytes.set(new TextEncoder().encode(value).subarray(0, size - 1), offset);
    return this;
  }
}

/** `sotto_context_options` */
export function contextOptions(threads: number, backend: string): Uint8Array<ArrayBuffer> {
  return new Struct(32).u32(0, threads).text(8, backend, 24).bytes;
}

export interface ContextInfo {
  readonly backend: string;
  readonly parameterSet: string;
  readonly threads: number;
  readonly ringDegree: number;
  readonly modulus: bigint;
}

/** Size of `sotto_context_info`. */
export const CONTEXT_INFO_BYTES = 80;

export function readContextInfo(bytes: Uint8Array<ArrayBuffer>): ContextInfo {
  const view = new DataView(bytes.buffer);
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to)).replace(/\0.*$/s, "");
  return {
    backend: text(0, 24),
    parameterSet: text(24, 56),
    threads: view.getUint32(56, true),
    ringDegree: view.getUint32(60, true),
    modulus: view.getBigUint64(64, true),
  };
}

/** `sotto_encrypt_shape` */
export function encryptShape(shape: { ciphertextCount: number; scale: bigint; stride: number; bits: number }) {
  return new Struct(32).u64(0, shape.ciphertextCount).u64(8, shape.scale).u32(16, shape.stride).u32(20, shape.bits)
    .bytes;
}

/** `sotto_decrypt_shape` */
export function decryptShape(shape: { recordCount: number; scale: bigint; ciphertexts: number; bits: number }) {
  return new Struct(32).u64(0, shape.recordCount).u64(8, shape.scale).u32(16, shape.ciphertexts).u32(20, shape.bits)
    .bytes;
}

/** `sotto_leaf_matrix_shape` */
export function leafMatrixShape(spec: LeafMatrixSpec, delta: bigint): Uint8Array<ArrayBuffer> {
  return new Struct(32)
    .u32(0, spec.plaintextModulus)
    .u32(4, spec.columnCount)
    .u32(8, spec.labelCount)
    .u32(12, spec.treeOffsets.length - 1)
    .u32(16, spec.constants.length)
    .u32(20, spec.columns.length)
    .u64(24, delta).bytes;
}

/** `sotto_evaluate_shape` */
export function evaluateShape(shape: { recordCount: number; inputBits: number; answerBits: number; threads: number }) {
  return new Struct(24).u64(0, shape.recordCount).u32(8, shape.inputBits).u32(12, shape.answerBits).u32(
    16,
    shape.threads,
  ).bytes;
}

/** `sotto_layer_shape` */
export function layerShape(spec: LayerSpec): Uint8Array<ArrayBuffer> {
  return new Struct(32).u32(0, spec.inputCount).u32(4, spec.patchCount).u32(8, spec.groupCount)
    .u32(12, spec.rowsPerGroup).u32(16, spec.depth).bytes;
}

/** `sotto_layer_range` */
export function layerRange(range: LayerRange, threads: number): Uint8Array<ArrayBuffer> {
  return new Struct(32).u64(0, range.rowCount).u64(8, range.rowStride).u32(16, range.firstPatch)
    .u32(20, range.patchCount).u32(24, threads).bytes;
}

/** `sotto_inputs_shape` */
export function inputsShape(
  shape: {
    rowCount: number;
    ciphertextsPerRow: number;
    inputBits: number;
    count: number;
    rowStride: number;
    threads: number;
  },
): Uint8Array<ArrayBuffer> {
  return new Struct(32).u64(0, shape.rowCount).u32(8, shape.ciphertextsPerRow).u32(12, shape.inputBits)
    .u32(16, shape.count).u32(20, shape.threads).u64(24, shape.rowStride).bytes;
}

/** `sotto_lwe_answers_shape` */
export function lweAnswersShape(
  shape: { recordCount: number; count: number; answerBits: number; rowStride: number; threads: number },
): Uint8Array<ArrayBuffer> {
  return new Struct(32).u64(0, shape.recordCount).u32(8, shape.count).u32(12, shape.answerBits)
    .u32(16, shape.threads).u64(24, shape.rowStride).bytes;
}

/** `sotto_lookup_shape`; 2^valuesLog tables a rotation, modulus 0: results on the 32-bit torus, 1: mod q. */
export function lookupShape(
  shape: { count: number; tableCount: number; valuesLog?: number; modulus?: number; threads: number },
): Uint8Array<ArrayBuffer> {
  return new Struct(32).u64(0, shape.count).u64(8, shape.tableCount).u32(16, shape.valuesLog ?? 0)
    .u32(20, shape.modulus ?? 0).u32(24, shape.threads).bytes;
}

/** Size of `sotto_unit_costs`. */
export const UNIT_COSTS_BYTES = 32;

export function readUnitCosts(bytes: Uint8Array<ArrayBuffer>): UnitCosts {
  const [ntt_ns, packed_product_ns, product_ns, expand_ns] = new Float64Array(bytes.buffer);
  return { ntt_ns, packed_product_ns, product_ns, expand_ns };
}

/** `sotto_gemm_shape` */
export function gemmShape(product: FloatProduct): Uint8Array<ArrayBuffer> {
  const transposed = (product.left.transposed ? 1 : 0) + (product.right.transposed ? 2 : 0);
  return new Struct(56).u32(0, product.rows).u32(4, product.columns).u32(8, product.depth).u32(12, transposed)
    .u64(16, product.left.columns).u64(24, product.right.columns).u64(32, product.columns)
    .f32(40, product.alpha ?? 1).f32(44, product.beta ?? 0).bytes;
}

/** `sotto_attention_shape` */
export function attentionShape(shape: AttentionShape): Uint8Array<ArrayBuffer> {
  return new Struct(24).u32(0, shape.queryStarts.length - 1).u32(4, shape.heads).u32(8, shape.kvHeads)
    .u32(12, shape.headSize).f32(16, 1 / Math.sqrt(shape.headSize)).bytes;
}

/** `sotto_cross_entropy_shape` */
export function crossEntropyShape(
  shape: { tokenCount: number; vocabulary: number; gradientScale?: number },
): Uint8Array<ArrayBuffer> {
  return new Struct(24).u64(0, shape.tokenCount).u32(8, shape.vocabulary)
    .u32(12, shape.gradientScale === undefined ? 0 : 1).f32(16, shape.gradientScale ?? 0).bytes;
}

/** `sotto_token_shape` */
export function tokenShape(
  shape: { set: TokenRequest["set"]; tokens: number; masks: TokenMasks; threads?: number },
): Uint8Array<ArrayBuffer> {
  const { bodyBits, maskBits, answerBits } = shape.set.wire;
  return new Struct(32).u32(0, shape.set.ringDegree).u32(4, shape.tokens).u32(8, bodyBits).u32(12, maskBits)
    .u32(16, answerBits).u32(20, shape.threads ?? 0).u64(24, shape.masks.first).bytes;
}

/** `sotto_token_scaling` */
export function tokenScaling(scaling: { rowNorm: number; features: number }): Uint8Array<ArrayBuffer> {
  return new Struct(16).f64(0, scaling.rowNorm).u64(8, scaling.features).bytes;
}
