/** Sums and differences of lwe, as layers of the port. */
import { type CallOptions, type Layer, LWE_WORDS, PADDING, type ServerBackend } from "../backend.ts";
import { HALF_RANGE } from "./tables.ts";

/** One output: [slot, integer weight] of each of its terms. */
export type Terms = readonly (readonly [slot: number, weight: number])[];

/** A prepared list of sums over the slots of an arena. Close it. */
export class Combination implements Disposable {
  readonly #layer: Layer;

  /** `raise`: results go to tables, half of whose range is added. */
  constructor(
    readonly backend: ServerBackend,
    readonly slotCount: number,
    readonly outputs: readonly Terms[],
    raise: boolean,
  ) {
    const depth = Math.max(...outputs.map((terms) => terms.length));
    const weights = new Int8Array(outputs.length * depth);
    const indices = new Uint32Array(outputs.length * depth).fill(PADDING);
    outputs.forEach((terms, o) =>
      terms.forEach(([slot, weight], d) => {
        indices[o * depth + d] = slot;
        weights[o * depth + d] = weight;
      })
    );
    this.#layer = backend.createLayer({
      inputCount: slotCount,
      patchCount: 1,
      groupCount: outputs.length,
      rowsPerGroup: 1,
      depth,
      weights,
      indices,
      offsets: new Uint32Array(outputs.length).fill(raise ? HALF_RANGE : 0),
    });
  }

  /** The lwe of all outputs. */
  async of(arena: Uint32Array, options: CallOptions): Promise<Uint32Array> {
    const out = new Uint32Array(this.outputs.length * LWE_WORDS);
    const range = { rowCount: 1, rowStride: this.slotCount, firstPatch: 0, patchCount: 1 };
    await this.backend.applyLayer(this.#layer, arena, range, out, options);
    return out;
  }

  close(): void {
    this.#layer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
