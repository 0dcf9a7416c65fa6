/**
 * The back end that encrypts nothing: the clear twin of the native one, for tests. Same port, same record sizes, same rounding,
 * same blinding and shuffling; every mask and all noise is zero, so b is the message.
 */
import { randomBytes } from "node:crypto";
import { SottoError } from "../errors.ts";
import { CURRENT } from "../params/mod.ts";
import {
  type AnswerShape,
  type Backend,
  type CallOptions,
  type EvaluationKeys,
  type Layer,
  type LayerRange,
  type LayerSpec,
  type LeafMatrix,
  type LeafMatrixSpec,
  type LookupKeys,
  type LookupSetting,
  LWE_WORDS,
  type NetworkCosts,
  type SecretKey,
  type UnitCosts,
  type WeightMatrix,
  type WeightMatrixSpec,
} from "./backend.ts";
import {
  answerLayout,
  evaluationKeysBytes,
  inputRecordBytes,
  linearAnswerLayout,
  lookupKeysBytes,
  secretKeyBytes,
  SEED_BYTES,
} from "./layout.ts";
import { PlainTokens } from "./finetune/plain_tokens.ts";
import { contentOf, PlainHandle, requireBytes, step } from "./plain_handle.ts";
import { bodyOf, plainAnswers, plainInputs, plainLayer, plainLookup } from "./plain_network.ts";
import { leafOutputs, linearOutputs } from "./plain_outputs.ts";
import { answerCiphertextBytes, readAnswers, readInputs, writeAnswers, writeInput } from "./plain_records.ts";
import { PlainTraining } from "./plain_training.ts";
import { UniformSource } from "./random.ts";

/** The parameter set that every file made with the plain back end names. */
export const PLAIN_PARAMETER_SET = "insecure-plain";

const N = CURRENT.ringDegree;

/** A back end for tests: answers are right, nothing is secret. */
export function plainBackend(): Backend {
  return new PlainBackend();
}

class PlainBackend implements Backend {
  readonly name = "plain";
  readonly parameterSet = PLAIN_PARAMETER_SET;
  readonly threads = 1;
  readonly training = new PlainTraining();
  readonly tokens = new PlainTokens();

  generateSecretKey(): SecretKey {
    const key = Uint8Array.from(randomBytes(secretKeyBytes()), (byte) => byte % 3);
    return new PlainHandle("SecretKey", key, key.length);
  }

  exportSecretKey(key: SecretKey): Uint8Array {
    return contentOf<Uint8Array>(key).slice();
  }

  importSecretKey(bytes: Uint8Array): SecretKey {
    requireBytes("a secret key", bytes, secretKeyBytes());
    if (bytes.some((byte) => byte > 2)) throw new SottoError("malformed_file", "the secret key is not ternary");
    return new PlainHandle("SecretKey", bytes.slice(), bytes.length);
  }

  generateEvaluationKeys(key: SecretKey): Promise<Uint8Array> {
    contentOf(key);
    const payload = new Uint8Array(evaluationKeysBytes());
    payload.set(randomBytes(SEED_BYTES));
    return Promise.resolve(payload);
  }

  async loadEvaluationKeys(payload: Uint8Array): Promise<EvaluationKeys> {
    await Promise.resolve();
    requireBytes("an evaluation key payload", payload, evaluationKeysBytes());
    return new PlainHandle("EvaluationKeys", null, payload.length);
  }

  async encrypt(
    key: SecretKey,
    messages: Int32Array,
    shape: { ciphertextCount: number; stride: number; scale: bigint; bits: number },
  ): Promise<Uint8Array> {
    await Promise.resolve();
    contentOf(key);
    const recordBytes = inputRecordBytes(shape.bits);
    const records = new Uint8Array(shape.ciphertextCount * recordBytes);
    for (let i = 0; i < shape.ciphertextCount; i++) {
      const row = messages.subarray(i * shape.stride, (i + 1) * shape.stride);
      writeInput(records.subarray(i * recordBytes), row, shape.scale, shape.bits);
    }
    return records;
  }

  async decrypt(
    key: SecretKey,
    records: Uint8Array,
    shape: AnswerShape & { recordCount: number; scale: bigint },
  ): Promise<Float64Array> {
    await Promise.resolve();
    contentOf(key);
    const outputs = shape.positions.length;
    const recordBytes = shape.usefulCounts.reduce((sum, useful) => sum + answerCiphertextBytes(useful, shape.bits), 0);
    requireBytes("the answers", records, shape.recordCount * recordBytes);
    const values = new Float64Array(shape.recordCount * outputs);
    for (let r = 0; r < shape.recordCount; r++) {
      const record = records.subarray(r * recordBytes, (r + 1) * recordBytes);
      values.set(readAnswers(record, shape).map((phase) => Math.round(phase / Number(shape.scale))), r * outputs);
    }
    return values;
  }

  createLeafMatrix(spec: LeafMatrixSpec): LeafMatrix {
    return new PlainHandle("LeafMatrix", spec, spec.columns.length);
  }

  createWeightMatrix(spec: WeightMatrixSpec): WeightMatrix {
    return new PlainHandle("WeightMatrix", spec, spec.weights.byteLength);
  }

  async generateLookupKeys(key: SecretKey, setting: LookupSetting): Promise<Uint8Array> {
    await Promise.resolve();
    contentOf(key);
    const payload = new Uint8Array(lookupKeysBytes(setting));
    payload.set(randomBytes(SEED_BYTES));
    return payload;
  }

  async loadLookupKeys(setting: LookupSetting, payload: Uint8Array): Promise<LookupKeys> {
    await Promise.resolve();
    requireBytes(`lookup keys of setting ${setting}`, payload, lookupKeysBytes(setting));
    return Object.assign(new PlainHandle("LookupKeys", null, payload.length), { setting });
  }

  async lwePhases(key: SecretKey, lwe: Uint32Array): Promise<Uint32Array> {
    await Promise.resolve();
    contentOf(key);
    return Uint32Array.from({ length: lwe.length / LWE_WORDS }, (_, i) => bodyOf(lwe, i));
  }

  createLayer(spec: LayerSpec): Layer {
    return new PlainHandle("Layer", spec, spec.weights.length);
  }

  async expandInputs(
    records: Uint8Array,
    shape: { rowCount: number; ciphertextsPerRow: number; inputBits: number; count: number; rowStride: number },
    out: Uint32Array,
    options: CallOptions = {},
  ): Promise<void> {
    await step(options, 0);
    const recordBytes = inputRecordBytes(shape.inputBits);
    requireBytes("the encrypted rows", records, shape.rowCount * shape.ciphertextsPerRow * recordBytes);
    plainInputs(records, recordBytes, shape, out);
    await step(options, 1);
  }

  async applyLayer(
    layer: Layer,
    inputs: Uint32Array,
    range: LayerRange,
    out: Uint32Array,
    options: CallOptions = {},
  ): Promise<void> {
    await step(options, 0);
    plainLayer(contentOf<LayerSpec>(layer), inputs, range, out);
    await step(options, 1);
  }

  async lookup(
    keys: LookupKeys,
    lwe: Uint32Array,
    tables: BigUint64Array,
    indices: Uint32Array,
    out: Uint32Array,
    options: CallOptions = {},
  ): Promise<void> {
    await step(options, 0);
    contentOf(keys);
    plainLookup(lwe, tables, indices, out);
    await step(options, 1);
  }

  async packAnswers(
    keys: EvaluationKeys,
    lwe: Uint32Array,
    shape: { recordCount: number; count: number; answerBits: number; rowStride: number },
    options: CallOptions & { blindingSeed?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    await step(options, 0);
    contentOf(keys);
    return plainAnswers(lwe, shape);
  }

  async evaluateLeaves(
    matrix: LeafMatrix,
    keys: EvaluationKeys,
    rows: Uint8Array,
    shape: { rowCount: number; inputBits: number; answerBits: number },
    options: CallOptions & { blindingSeed?: Uint8Array } = {},
  ): Promise<Uint8Array> {
    contentOf(keys);
    const spec = contentOf<LeafMatrixSpec>(matrix);
    const perRow = Math.max(1, Math.ceil(spec.columnCount / N));
    const inputBytes = inputRecordBytes(shape.inputBits);
    requireBytes("the encrypted rows", rows, shape.rowCount * perRow * inputBytes);
    const delta = Number(CURRENT.modulus / BigInt(spec.plaintextModulus));
    const layout = answerLayout({ outputs: outputCount(spec), columnCount: spec.columnCount, bits: shape.answerBits });
    const blinding = new UniformSource(options.blindingSeed);
    const answers = new Uint8Array(shape.rowCount * layout.recordBytes);
    for (let row = 0; row < shape.rowCount; row++) {
      await step(options, row / shape.rowCount);
      const record = rows.subarray(row * perRow * inputBytes, (row + 1) * perRow * inputBytes);
      const bits = readInputs(record, perRow, shape.inputBits).map((x) => Math.round(x / delta));
      const phasesOfRow = leafOutputs(spec, bits, blinding).map((value) => value * delta);
      writeAnswers(answers.subarray(row * layout.recordBytes), phasesOfRow, layout);
    }
    await step(options, 1);
    return answers;
  }

  async evaluateLinear(
    matrix: WeightMatrix,
    rows: Uint8Array,
    shape: { ciphertextCount: number; inputBits: number; answerBits: number },
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const spec = contentOf<WeightMatrixSpec>(matrix);
    const inputBytes = inputRecordBytes(shape.inputBits);
    requireBytes("the encrypted rows", rows, shape.ciphertextCount * inputBytes);
    const layout = linearAnswerLayout({
      scoreCount: spec.rowCount,
      columnCount: spec.columnCount,
      bits: shape.answerBits,
    });
    const answers = new Uint8Array(shape.ciphertextCount * layout.recordBytes);
    for (let i = 0; i < shape.ciphertextCount; i++) {
      await step(options, i / shape.ciphertextCount);
      const values = readInputs(rows.subarray(i * inputBytes, (i + 1) * inputBytes), 1, shape.inputBits);
      writeAnswers(answers.subarray(i * layout.recordBytes), linearOutputs(spec, values, N), layout);
    }
    await step(options, 1);
    return answers;
  }

  unitCosts(): Promise<UnitCosts> {
    return Promise.resolve({ ntt_ns: 2500, packed_product_ns: 30000, product_ns: 10000, expand_ns: 20000 });
  }

  networkCosts(): Promise<NetworkCosts> {
    return Promise.resolve({
      lookup_ns: { 1: 5_200_000, 2: 8_800_000, 3: 13_200_000 },
      multiply_add_ns: 40,
      answer_ns: 30000,
    });
  }

  close(): void {}
}

function outputCount(spec: LeafMatrixSpec): number {
  return spec.constants.length * (1 + spec.labelCount);
}
