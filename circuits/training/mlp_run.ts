/**
 * A network with one hidden layer on encrypted batches (arXiv 2401.16136). Lookups of a step with m rows, H units and C scores:
 * m H for values and derivatives, 6 m H C for the three kinds of products with errors, values and weights, 2 m H for those with
 * derivatives, 2 m C for sigmoids and biases: 2,176 for m = 8, H = 30, C = 1. See `simulate.ts` for what its noise does.
 */
import { type CallOptions, LWE_WORDS, type ServerBackend } from "../backend.ts";
import { type EncryptedBatch, labelLwe } from "./batch.ts";
import type { Combination } from "./combination.ts";
import { type Geometry, geometryOf } from "./geometry.ts";
import { raised } from "./linear_run.ts";
import { mlpLookups, type MlpScales, mlpScales, type MlpTables, mlpTables } from "./mlp_scales.ts";
import { MlpSums } from "./mlp_sums.ts";
import { LoadedBatch, requireRunning } from "./products.ts";
import type { RunKeys } from "./run.ts";
import { type MlpSpec, scoreCount } from "./spec.ts";
import type { TrainingState } from "./state.ts";
import { interleavedTable, type TableFunction } from "./tables.ts";

/** The state after one more step. Close it. */
export class MlpStep implements Disposable {
  readonly #geometry: Geometry;
  readonly #scales: MlpScales;
  readonly #sums: MlpSums;

  constructor(readonly backend: ServerBackend, readonly spec: MlpSpec, readonly keys: RunKeys) {
    this.#geometry = geometryOf(spec);
    this.#scales = mlpScales(spec);
    const shape = { rows: spec.batch_size, hidden: spec.hidden.width, scores: scoreCount(spec) };
    this.#sums = new MlpSums(backend, shape);
  }

  async run(state: TrainingState, batch: EncryptedBatch, options: CallOptions): Promise<TrainingState> {
    requireRunning(options);
    using data = await LoadedBatch.load(this.backend, this.#geometry, batch);
    const labels = labelLwe(this.backend, batch.labels, this.spec.batch_size * scoreCount(this.spec));
    const hidden = raised(this.backend.training.switchToTorus(await data.scores(state.weights, options)));
    const pass = new Pass(this.backend, this.keys, this.#sums, mlpTables(this.spec, this.#scales, state.step), options);
    pass.put(this.#sums.arena.outputs, state.outputs);
    pass.put(this.#sums.arena.labels, this.backend.training.switchToTorus(labels));
    await pass.forward(hidden);
    const outputs = await pass.backward();
    const weights = await data.update(this.keys.training, state.weights, await pass.hiddenErrors(), options);
    return { step: state.step + 1, weights, outputs };
  }

  close(): void {
    this.#sums.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One forward and backward pass over the arena of a batch. */
class Pass {
  readonly #arena: Uint32Array;
  readonly #call: CallOptions;
  /** Lookups of the batch, and those that have begun. */
  readonly #total: number;
  #done = 0;

  constructor(
    readonly backend: ServerBackend,
    readonly keys: RunKeys,
    readonly sums: MlpSums,
    readonly tables: MlpTables,
    readonly options: CallOptions,
  ) {
    this.#arena = new Uint32Array(sums.arena.slotCount * LWE_WORDS);
    const { signal, threads } = options;
    this.#call = { ...(signal ? { signal } : {}), ...(threads === undefined ? {} : { threads }) };
    const { rows, hidden, scores } = sums.shape;
    this.#total = mlpLookups(rows, hidden, scores);
  }

  /** Options of `count` lookups: their progress is part of ours. */
  #looking(count: number): CallOptions {
    const done = this.#done;
    this.#done += count;
    const { onProgress } = this.options;
    if (onProgress === undefined) return this.#call;
    return { ...this.#call, onProgress: (share) => onProgress((done + share * count) / this.#total) };
  }

  put(slot: number, lwe: Uint32Array): void {
    this.#arena.set(lwe, slot * LWE_WORDS);
  }

  /** From the hidden units' phases to the errors of the scores. */
  async forward(hidden: Uint32Array): Promise<void> {
    const { arena, forward, scores, errors } = this.sums;
    const { training } = this.backend;
    const indices = new Uint32Array(hidden.length / LWE_WORDS);
    const tables = { tables: interleavedTable(this.tables.hidden), indices, valuesLog: 1 };
    this.put(arena.hidden, await training.lookupTorus(this.keys.lookup, hidden, tables, this.#looking(indices.length)));
    this.put(arena.forward, await this.#lookUp(forward, this.tables.forward, (o) => o % 2));
    this.put(arena.sigmoids, await this.#lookUp(scores, [this.tables.sigmoid], () => 0));
    this.put(arena.errors, await errors.of(this.#arena, this.#call));
  }

  /** The second layer after the step. */
  async backward(): Promise<Uint32Array> {
    const { arena, backward, outputs } = this.sums;
    const { outputUpdate, backward: toHidden, biasUpdate } = this.tables;
    const [split, biases] = [arena.backward - arena.outputUpdates, arena.biasUpdates - arena.outputUpdates];
    const tableOf = (o: number) => o >= biases ? 4 : o >= split ? 2 + o % 2 : o % 2;
    const results = await this.#lookUp(backward, [...outputUpdate, ...toHidden, biasUpdate], tableOf);
    this.put(arena.outputUpdates, results);
    return await outputs.of(this.#arena, this.#call);
  }

  /** Errors of the hidden units mod q, row by row. */
  async hiddenErrors(): Promise<BigUint64Array> {
    const { training } = this.backend;
    const operands = await this.sums.hiddenErrors.of(this.#arena, this.#call);
    const count = operands.length / LWE_WORDS / 2;
    const tables = this.#tables(this.tables.hiddenError, 2 * count, (o) => o < count ? 0 : 1);
    const parts = await training.lookup(this.keys.lookup, operands, tables, this.#looking(2 * count));
    return training.add(parts.subarray(0, parts.length / 2), parts.subarray(parts.length / 2));
  }

  async #lookUp(
    sums: Combination,
    functions: readonly TableFunction[],
    tableOf: (output: number) => number,
  ): Promise<Uint32Array> {
    const operands = await sums.of(this.#arena, this.#call);
    const tables = this.#tables(functions, sums.outputs.length, tableOf);
    return await this.backend.training.lookupTorus(
      this.keys.lookup,
      operands,
      tables,
      this.#looking(sums.outputs.length),
    );
  }

  #tables(functions: readonly TableFunction[], count: number, tableOf: (output: number) => number) {
    const polynomials = functions.map((value) => interleavedTable([value]));
    const tables = new BigUint64Array(polynomials.length * polynomials[0].length);
    polynomials.forEach((polynomial, i) => tables.set(polynomial, i * polynomial.length));
    return { tables, indices: Uint32Array.from({ length: count }, (_, o) => tableOf(o)), valuesLog: 0 };
  }
}
