import { chacha20 } from "@noble/ciphers/chacha.js";
import { randomBytes } from "node:crypto";

/** Uniform numbers from ChaCha20 under a 32-byte seed. */
export class UniformSource {
  readonly #seed: Uint8Array;
  #block = new Uint32Array(0);
  #at = 0;
  #blocks = 0;

  /** Without a seed: one from the operating system. */
  constructor(seed: Uint8Array = randomBytes(32)) {
    this.#seed = Uint8Array.from(seed);
  }

  /** Uniform in [0, bound), bound <= 2^32, by rejection. */
  below(bound: number): number {
    const limit = Math.floor(2 ** 32 / bound) * bound;
    for (;;) {
      const word = this.#word();
      if (word < limit) return word % bound;
    }
  }

  /** A uniform permutation of 0 .. length - 1 (Fisher and Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  #word(): number {
    if (this.#at === this.#block.length) this.#refill();
    return this.#block[this.#at++];
  }

  #refill(): void {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(0, this.#blocks++, true);
    const bytes = chacha20(this.#seed, nonce, new Uint8Array(4096));
    this.#block = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.#at = 0;
  }
}
