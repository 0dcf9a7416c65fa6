/**
 * The two products of a step with its encrypted batch: scores of all rows, and gradients of all weights (arXiv 2401.16136, with
 * rgsw data in place of look-ups). Weights of S scores, or of S hidden units, share the data: S ciphertexts a chunk.
 */
import { SottoError } from "../../errors.ts";
import { CURRENT } from "../../params/mod.ts";
import type { CallOptions, ServerBackend } from "../backend.ts";
import { CIPHERTEXT_WORDS, CONJUGATION, type Rgsw, RING_LWE_WORDS, type TrainingKeys } from "../training_backend.ts";
import { type EncryptedBatch, loadChunk } from "./batch.ts";
import { type Geometry, inverseOf, scorePositions, traceIndices } from "./geometry.ts";

const N = CURRENT.ringDegree;
/** Lwe that become constants in one call: enough for all threads, 16 MB. */
const CONSTANTS_TOGETHER = 512;

/** A batch whose data are loaded. Close it. */
export class LoadedBatch implements Disposable {
  private constructor(
    readonly backend: ServerBackend,
    readonly geometry: Geometry,
    private readonly chunks: readonly Rgsw[],
  ) {}

  /** @throws SottoError `malformed_file` for another number of chunks, or for records of other lengths */
  static async load(backend: ServerBackend, geometry: Geometry, batch: EncryptedBatch): Promise<LoadedBatch> {
    if (batch.chunks.length !== geometry.chunkCount) {
      const has = `a batch has ${batch.chunks.length} chunks of data`;
      throw new SottoError("malformed_file", `${has}, ${geometry.chunkCount} are needed`);
    }
    const chunks: Rgsw[] = [];
    try {
      for (const parts of batch.chunks) chunks.push(await loadChunk(backend, parts));
    } catch (error) {
      chunks.forEach((chunk) => chunk.close());
      throw error;
    }
    return new LoadedBatch(backend, geometry, chunks);
  }

  /** Scores mod q, row i and unit s at lwe i S + s. `weights`: a chunk each, S ciphertexts. */
  async scores(weights: readonly BigUint64Array[], options: CallOptions): Promise<BigUint64Array> {
    const { training } = this.backend;
    const { rows } = this.geometry;
    let sums: BigUint64Array | undefined;
    for (const [k, chunk] of this.chunks.entries()) {
      requireRunning(options);
      const products = await training.externalProduct(chunk, weights[k]);
      sums = sums === undefined ? products : training.add(sums, products);
    }
    const positions = scorePositions(this.geometry);
    const units = sums!.length / CIPHERTEXT_WORDS;
    const scores = new BigUint64Array(rows * units * RING_LWE_WORDS);
    for (let s = 0; s < units; s++) {
      const lwe = training.extract(sums!.subarray(s * CIPHERTEXT_WORDS, (s + 1) * CIPHERTEXT_WORDS), positions);
      for (let i = 0; i < rows; i++) {
        const row = lwe.subarray(i * RING_LWE_WORDS, (i + 1) * RING_LWE_WORDS);
        scores.set(row, (i * units + s) * RING_LWE_WORDS);
      }
    }
    return scores;
  }

  /** weights + X E for errors in the order of `scores`. */
  async update(
    keys: TrainingKeys,
    weights: readonly BigUint64Array[],
    errors: BigUint64Array,
    options: CallOptions,
  ): Promise<BigUint64Array[]> {
    const polynomials = await this.#errorPolynomials(keys, errors, options);
    const updated: BigUint64Array[] = [];
    for (const [k, chunk] of this.chunks.entries()) {
      requireRunning(options);
      const gradient = await this.#gradient(keys, chunk, polynomials);
      updated.push(this.backend.training.add(weights[k], gradient));
    }
    return updated;
  }

  /** E_s(X) = sum_i e_is X^-i, every other coefficient zero up to noise. */
  async #errorPolynomials(keys: TrainingKeys, errors: BigUint64Array, options: CallOptions): Promise<BigUint64Array> {
    const { training } = this.backend;
    const { rows } = this.geometry;
    const words = errors.length / rows;
    const together = Math.max(1, Math.floor(CONSTANTS_TOGETHER / (words / RING_LWE_WORDS)));
    let sum: BigUint64Array | undefined;
    for (let first = 0; first < rows; first += together) {
      requireRunning(options);
      const count = Math.min(together, rows - first);
      const constants = await training.constants(keys, errors.subarray(first * words, (first + count) * words));
      for (let i = 0; i < count; i++) {
        const size = constants.length / count;
        const row = constants.subarray(i * size, (i + 1) * size);
        const moved = first + i === 0 ? row : training.multiplyMonomial(row, 2 * N - first - i);
        sum = sum === undefined ? moved : training.add(sum, moved);
      }
    }
    return sum!;
  }

  /** The gradients of a chunk's columns, where its weights lie. */
  async #gradient(keys: TrainingKeys, chunk: Rgsw, polynomials: BigUint64Array): Promise<BigUint64Array> {
    const { training } = this.backend;
    const { rows, chunkColumns } = this.geometry;
    let product = training.scale(await training.externalProduct(chunk, polynomials), inverseOf(rows));
    for (const index of traceIndices(this.geometry)) {
      product = training.add(product, await training.automorphism(keys, index, product));
    }
    const turned = await training.automorphism(keys, CONJUGATION, product);
    return training.multiplyMonomial(turned, rows * (chunkColumns - 1));
  }

  close(): void {
    this.chunks.forEach((chunk) => chunk.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Throws `cancelled` when the caller has given up. */
export function requireRunning(options: CallOptions): void {
  if (options.signal?.aborted) throw new SottoError("cancelled", "the training step was cancelled");
}
