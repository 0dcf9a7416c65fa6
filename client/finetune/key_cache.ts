/** Keys and values of the tokens that were already read, so that generating a token asks for the products of that token only. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import type { LlamaConfig } from "../../models/language/mod.ts";

export class KeyCache {
  /** Tokens that every layer has seen. */
  length = 0;
  readonly #keys: Floats[];
  readonly #values: Floats[];
  readonly #width: number;

  constructor(kernels: FloatKernels, config: LlamaConfig, readonly capacity: number) {
    this.#width = config.kvHeads * config.headSize;
    const room = () => Array.from({ length: config.layers }, () => kernels.zeros(capacity * this.#width));
    [this.#keys, this.#values] = [room(), room()];
  }

  /** Writes the new tokens' keys and values behind those of the layer; all of them, old and new. */
  append(layer: number, key: Floats, value: Floats): { key: Floats; value: Floats } {
    const [from, to] = [this.length * this.#width, this.length * this.#width + key.length];
    if (to > this.capacity * this.#width) {
      throw new SottoError("rows_refused", `the text is longer than the ${this.capacity} tokens there is room for`);
    }
    this.#keys[layer].set(key, from);
    this.#values[layer].set(value, from);
    return { key: this.#keys[layer].subarray(0, to), value: this.#values[layer].subarray(0, to) };
  }
}
