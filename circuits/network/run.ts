/**
 * Runs a circuit on ciphertexts: inputs become lwe in an arena, every step computes its sums and looks them up tile by tile, the
 * outputs are packed. Several data rows run together, so that narrow layers fill the tiles of the lookups.
 * After arXiv 2302.10906, with real-valued tables in place of quantised ones.
 */
import { SottoError } from "../../errors.ts";
import { CURRENT } from "../../params/mod.ts";
import { type CallOptions, type KeyRing, type Layer, LWE_WORDS, type ServerBackend } from "../backend.ts";
import { inputRecordBytes } from "../layout.ts";
import { type Arena, layOut, LWE_BYTES } from "./arena.ts";
import type { Circuit, CircuitStep } from "./circuit.ts";
import { channelCount, outputCount } from "./program.ts";
import { stepCost } from "./cost.ts";

/** Lookups of one native call: enough to share the passes over the keys on every core, few enough to stop soon. */
const TILE = 256;
/** Bytes of the arena that are worth spending to run rows together. */
const ARENA_BYTES = 512 * 1024 * 1024;

export interface RunOptions extends CallOptions {
  /** Sees the lwe of sums (patch by patch, channel by channel) of every data row before their tables: for traces in tests. */
  readonly onSums?: (step: CircuitStep, firstRow: number, firstPatch: number, sums: Uint32Array) => Promise<void>;
  /** For known answers only. */
  readonly blindingSeed?: Uint8Array;
}

/** A circuit that is ready to run. */
interface Prepared {
  readonly backend: ServerBackend;
  readonly circuit: Circuit;
  readonly answerBits: number;
  readonly arena: Arena;
  /** One a step. */
  readonly layers: readonly Layer[];
  readonly outputSlots: Uint32Array;
}

/** A circuit with its layers prepared by a back end. Close it. */
export class NetworkRunner implements Disposable {
  readonly #prepared: Prepared;
  /** Data rows that run together. */
  readonly rowsPerRun: number;

  constructor(backend: ServerBackend, circuit: Circuit, answerBits: number) {
    const arena = layOut(circuit);
    const layers = circuit.steps.map(({ layer }) =>
      backend.createLayer({
        ...layer,
        inputCount: arena.slotCount,
        indices: layer.indices.map((element) => arena.slotOf(element)),
      })
    );
    const outputSlots = circuit.outputElements.map((element) => arena.slotOf(element));
    this.#prepared = { backend, circuit, answerBits, arena, layers, outputSlots };
    this.rowsPerRun = rowsTogether(circuit, arena);
  }

  /**
   * Answer records of `rowCount` rows of input records.
   * @throws SottoError `cancelled`, `internal` without the keys that the circuit needs
   */
  async run(records: Uint8Array, rowCount: number, keys: KeyRing, options: RunOptions = {}): Promise<Uint8Array> {
    if (keys.pack === undefined) throw new SottoError("internal", "a circuit is evaluated under evaluation keys");
    const { circuit, arena } = this.#prepared;
    const rowBytes = ciphertextsPerRow(circuit) * inputRecordBytes(circuit.inputBits);
    const memory = new Uint32Array(arena.slotCount * Math.min(rowCount, this.rowsPerRun) * LWE_WORDS);
    const answers: Uint8Array[] = [];
    for (let first = 0; first < rowCount; first += this.rowsPerRun) {
      const rows = Math.min(this.rowsPerRun, rowCount - first);
      const part = records.subarray(first * rowBytes, (first + rows) * rowBytes);
      const onProgress = (share: number) => options.onProgress?.((first + share * rows) / rowCount);
      const state = { memory, keys, rows, firstRow: first, options: { ...options, onProgress } };
      answers.push(await new Run(this.#prepared, state).answers(part));
    }
    return concatenate(answers);
  }

  close(): void {
    this.#prepared.layers.forEach((layer) => layer.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function ciphertextsPerRow(circuit: Circuit): number {
  return Math.ceil(circuit.inputCount / CURRENT.ringDegree);
}

interface RunState {
  /** The arena of every row, one after the other. */
  readonly memory: Uint32Array;
  readonly keys: KeyRing;
  readonly rows: number;
  readonly firstRow: number;
  readonly options: RunOptions;
}

/** One pass over the circuit for a few data rows. */
class Run {
  readonly #costs: number[];
  readonly #total: number;
  #done = 0;

  constructor(readonly prepared: Prepared, readonly state: RunState) {
    this.#costs = prepared.circuit.steps.map((step) => stepCost(step));
    this.#total = Math.max(1e-9, this.#costs.reduce((sum, cost) => sum + cost, 0));
  }

  async answers(records: Uint8Array): Promise<Uint8Array> {
    const { backend, circuit, answerBits, arena } = this.prepared;
    const { memory, rows, options, keys } = this.state;
    const inputs = {
      rowCount: rows,
      ciphertextsPerRow: ciphertextsPerRow(circuit),
      inputBits: circuit.inputBits,
      count: circuit.inputCount,
      rowStride: arena.slotCount,
    };
    await backend.expandInputs(records, inputs, memory, this.#quiet());
    for (let index = 0; index < circuit.steps.length; index++) await this.#step(index);
    const count = circuit.outputElements.length;
    const outputs = { recordCount: rows, count, answerBits, rowStride: count };
    const { blindingSeed } = options;
    return await backend.packAnswers(keys.pack!, this.#gatherOutputs(), outputs, {
      ...this.#quiet(),
      ...(blindingSeed ? { blindingSeed } : {}),
    });
  }

  async #step(index: number): Promise<void> {
    const step = this.prepared.circuit.steps[index];
    const channels = channelCount(step.layer);
    const patches = Math.max(1, Math.floor(TILE / (channels * this.state.rows)));
    const tile = new Uint32Array(patches * channels * this.state.rows * LWE_WORDS);
    const looked = step.lookup === undefined || this.state.rows === 1 ? tile : new Uint32Array(tile.length);
    for (let first = 0; first < step.layer.patchCount; first += patches) {
      const count = Math.min(patches, step.layer.patchCount - first);
      await this.#tile(index, first, count, tile, looked);
      this.#report(this.#costs[index] * count / step.layer.patchCount);
    }
  }

  /** Sums and, with a table, lookups of `count` patches of every row. */
  async #tile(index: number, first: number, count: number, tile: Uint32Array, looked: Uint32Array): Promise<void> {
    const { backend, circuit, arena, layers } = this.prepared;
    const { memory, rows } = this.state;
    const step = circuit.steps[index];
    const channels = channelCount(step.layer);
    const words = count * channels * LWE_WORDS;
    const at = (row: number) => (row * arena.slotCount + arena.starts[index + 1] + first * channels) * LWE_WORDS;
    const home = memory.subarray(at(0), at(0) + words);
    const inPlace = rows === 1 && step.lookup === undefined;
    const sums = inPlace ? home : tile.subarray(0, rows * words);
    const range = { rowCount: rows, rowStride: arena.slotCount, firstPatch: first, patchCount: count };
    await backend.applyLayer(layers[index], memory, range, sums, this.#quiet());
    await this.state.options.onSums?.(step, this.state.firstRow, first, sums);
    if (inPlace) return;
    const results = step.lookup === undefined ? sums : rows === 1 ? home : looked.subarray(0, rows * words);
    if (step.lookup !== undefined) await this.#lookUp(step, sums, results);
    if (rows === 1) return;
    for (let row = 0; row < rows; row++) memory.set(results.subarray(row * words, (row + 1) * words), at(row));
  }

  async #lookUp({ lookup, layer }: CircuitStep, sums: Uint32Array, results: Uint32Array): Promise<void> {
    const keys = this.state.keys.lookups.get(lookup!.setting);
    if (keys === undefined) throw new SottoError("internal", `lookup keys of setting ${lookup!.setting} are missing`);
    const channels = channelCount(layer);
    const indices = Uint32Array.from({ length: sums.length / LWE_WORDS }, (_, i) => lookup!.tableOf[i % channels]);
    await this.prepared.backend.lookup(keys, sums, lookup!.tables, indices, results, this.#quiet());
  }

  #gatherOutputs(): Uint32Array {
    const { outputSlots, arena } = this.prepared;
    const { memory, rows } = this.state;
    const outputs = new Uint32Array(rows * outputSlots.length * LWE_WORDS);
    for (let row = 0; row < rows; row++) {
      outputSlots.forEach((slot, i) => {
        const from = (row * arena.slotCount + slot) * LWE_WORDS;
        outputs.set(memory.subarray(from, from + LWE_WORDS), (row * outputSlots.length + i) * LWE_WORDS);
      });
    }
    return outputs;
  }

  #report(cost: number): void {
    this.#done += cost;
    this.state.options.onProgress?.(Math.min(1, this.#done / this.#total));
  }

  /** Options of a single call: its own progress is part of ours. */
  #quiet(): CallOptions {
    const { signal, threads } = this.state.options;
    return { ...(signal ? { signal } : {}), ...(threads === undefined ? {} : { threads }) };
  }
}

/** As many rows as fill the tiles of the narrowest looked-up step, within the bytes of an arena. */
export function rowsTogether(circuit: Circuit, arena: Arena): number {
  const widths = circuit.steps.filter(({ lookup }) => lookup !== undefined).map(({ layer }) => outputCount(layer));
  const wanted = Math.ceil(TILE / Math.min(TILE, ...widths));
  return Math.max(1, Math.min(wanted, Math.floor(ARENA_BYTES / (arena.slotCount * LWE_BYTES))));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
