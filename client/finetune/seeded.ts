/** Reproducible numbers that need not be secret: dropout masks, initial adapters, sampling of text. */

/** A well-mixed 32-bit word of two (the finaliser of MurmurHash3, Appleby 2011, over both). */
export function mix(seed: number, index: number): number {
  let word = Math.imul(index + 1, 0x9e3779b1) ^ seed;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** One seed of several numbers and names. */
export function mixAll(...parts: (number | string)[]): number {
  return parts.reduce((seed: number, part) => {
    if (typeof part === "number") return mix(seed, part);
    return [...part].reduce((inner, letter) => mix(inner, letter.codePointAt(0)!), seed);
  }, 0);
}

/** Numbers from a seed, the same every time. */
export class SeededSource {
  #index = 0;
  constructor(readonly seed: number) {}

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = mix(this.seed, this.#index++) >>> 5;
    const low = mix(~this.seed, this.#index) >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}
