/**
 * The back end that encrypts nothing: the clear twin of the native one, for tests. Same port, same record sizes, same rounding,
 * same blinding and shuffling; every mask and all noise is zero, so b is the message.
 */
import { randomBytes } from "node:crypto";
import { SottoError } from "../errors.ts";
import { CURRENT } from "../params/mod.ts";
import type {
  AnswerShape,
  Backend,
  CallOptions,
  EvaluationKeys,
  Handle,
  LeafMatrix,
  LeafMatrixSpec,
  SecretKey,
  UnitCosts,
  WeightMatrix,
  WeightMatrixSpec,
} from "./backend.ts";
import {
  answerLayout,
  evaluationKeysBytes,
  inputRecordBytes,
  linearAnswerLayout,
  secretKeyBytes,
  SEED_BYTES,
} from "./layout.ts";
import { leafOutputs, linearOutputs } from "./plain_outputs.ts";
import { answerCiphertextBytes, readAnswers, readInputs, writeAnswers, writeInput } from "./plain_records.ts";
import { UniformSource } from "./random.ts";

/** The parameter set that every file made with the plain back end names. */
export const PLAIN_PARAMETER_SET = "insecure-plain";

const N = CURRENT.ringDegree;

class PlainHandle<Brand extends string, Content> implements Handle {
  closed = false;
  constructor(readonly brand: Brand, private readonly content: Content, readonly bytes: number) {}
  close(): void {
    this.closed = true;
  }
  [Symbol.dispose](): void {
    this.close();
  }
  open(): Content {
    if (this.closed) throw new SottoError("backend_failed", `a closed ${this.brand} was used`);
    return this.content;
  }
}

/** A back end for tests: answers are right, nothing is secret. */
export function plainBackend(): Backend {
  return new PlainBackend();
}

class PlainBackend implements Backend {
  readonly name = "plain";
  readonly parameterSet = PLAIN_PARAMETER_SET;
  readonly threads = 1;

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

  close(): void {}
}

function contentOf<Content>(handle: Handle): Content {
  if (!(handle instanceof PlainHandle)) throw new SottoError("backend_failed", "a handle of another back end was used");
  return handle.open() as Content;
}

function requireBytes(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new SottoError("malformed_file", `${what} must have ${length} bytes, not ${bytes.length}`);
  }
}

/** Lets other work run, reports progress, stops when asked to. */
async function step(options: CallOptions, progress: number): Promise<void> {
  if (options.signal?.aborted) throw new SottoError("cancelled", "the call was cancelled");
  options.onProgress?.(progress);
  await Promise.resolve();
}

function outputCount(spec: LeafMatrixSpec): number {
  return spec.constants.length * (1 + spec.labelCount);
}
