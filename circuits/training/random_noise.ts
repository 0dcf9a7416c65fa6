/** Gaussian noise of simulations, seeded. */
import { CURRENT } from "../../params/mod.ts";
import { TORUS } from "../lookup_noise.ts";
import { Gaussian } from "../network/simulate.ts";

const Q = CURRENT.modulus;
const POSITIONS = 2 * CURRENT.ringDegree;

export interface SimulateOptions {
  /** 32 bytes; the same seed gives the same noise. */
  readonly seed?: Uint8Array;
  /** false: the integers alone, as the plain back end computes them. Default true. */
  readonly noise?: boolean;
}

/** Adds noise to integers mod q and on the torus, and reads tables. */
export class RandomNoise {
  readonly #gaussian: Gaussian;
  readonly #on: boolean;

  constructor(options: SimulateOptions) {
    this.#gaussian = new Gaussian(options.seed ?? new Uint8Array(32));
    this.#on = options.noise ?? true;
  }

  /** x + noise mod q, in [0, q). */
  modular(x: bigint, variance: number): bigint {
    const noise = this.#on ? BigInt(Math.round(Math.sqrt(variance) * this.#gaussian.next())) : 0n;
    const rest = (x + noise) % Q;
    return rest < 0n ? rest + Q : rest;
  }

  /** x + noise mod 2^32, in [0, 2^32). */
  torus(x: number, variance: number): number {
    const noise = this.#on ? Math.round(Math.sqrt(variance) * this.#gaussian.next()) : 0;
    return modulo(x + noise, TORUS);
  }

  /** Value `index` of the table at a phase that was already disturbed. */
  static read(table: BigUint64Array, valuesLog: number, phase: number, index: number): bigint {
    const step = (TORUS / POSITIONS) * 2 ** valuesLog;
    const position = Math.round(phase / step) * 2 ** valuesLog % POSITIONS;
    const half = POSITIONS / 2;
    const value = table[position % half + index];
    return position < half ? value : (Q - value) % Q;
  }
}

/** round(x 2^32 / q) mod 2^32. */
export function toTorus(x: bigint): number {
  return Number(((2n * x * BigInt(TORUS) + Q) / (2n * Q)) % BigInt(TORUS));
}

/** In [-2^31, 2^31). */
export function centredTorus(x: number): number {
  return modulo(x + TORUS / 2, TORUS) - TORUS / 2;
}

/** In (-q / 2, q / 2]. */
export function centredModulus(x: bigint): bigint {
  return x > Q / 2n ? x - Q : x;
}

function modulo(x: number, modulus: number): number {
  return x - Math.floor(x / modulus) * modulus;
}
