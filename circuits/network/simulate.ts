/**
 * The circuit in clear, with exactly the noise that encryption adds: integer sums of rounded inputs, noise of the sources, of the table's
 * reading and of its position, all Gaussian of the variances of `lookup_noise.ts` and seeded. What calibration, reports and tests use.
 */
import { CURRENT } from "../../params/mod.ts";
import {
  lookupOutputVariance,
  lweKeyswitchMeanVariance,
  lweKeyswitchVariance,
  modulusSwitchVariance,
  torusInputVariance,
} from "../lookup_noise.ts";
import { UniformSource } from "../random.ts";
import { applySum } from "./clear.ts";
import type { Circuit, CircuitStep } from "./circuit.ts";
import { channelCount } from "./program.ts";

const N = CURRENT.ringDegree;
const TORUS = 2 ** 32;
const Q = Number(CURRENT.modulus);

export interface SimulateOptions {
  /** 32 bytes; the same seed gives the same noise. */
  readonly seed?: Uint8Array;
  /** false: the integer circuit alone, as the plain back end runs it. Default true. */
  readonly noise?: boolean;
  /** Sees the integers of every step before its table, offsets included and wrapped to [-2^31, 2^31). */
  readonly onSums?: (step: CircuitStep, sums: Float64Array) => void;
}

/** A simulation of one circuit under one key; rows of one simulation share a stream of noise. */
export class Simulation {
  readonly #random: Gaussian;
  /** What the key switches of this simulation's key err by on average. */
  readonly #keyMean: number;
  readonly #tables = new Map<CircuitStep, Float64Array>();

  constructor(readonly circuit: Circuit, readonly options: SimulateOptions = {}) {
    this.#random = new Gaussian(options.seed ?? new Uint8Array(32));
    this.#keyMean = Math.sqrt(lweKeyswitchMeanVariance()) * this.#random.next();
  }

  /** Output integers of one row of real inputs: real value = integer / outputScales. */
  run(row: ArrayLike<number>): Float64Array {
    const { circuit, options } = this;
    const noise = options.noise ?? true;
    const elements = new Float64Array(circuit.elementCount);
    for (let i = 0; i < circuit.inputCount; i++) elements[i] = Math.round(row[i] * circuit.inputScales[i]);
    if (noise) this.#disturb(elements, 0, circuit.inputCount, torusInputVariance(circuit.inputBits));
    for (const step of circuit.steps) {
      const { weights, offsets } = step.layer;
      const sums = applySum({ ...step.layer, weights, bias: offsets }, elements).map(centred);
      options.onSums?.(step, sums);
      const outputs = step.lookup === undefined ? sums : this.#lookUp(step, sums, noise);
      elements.set(outputs, step.first);
    }
    return Float64Array.from(circuit.outputElements, (element) => elements[element]);
  }

  /** The real scores of one row, all outputs one after the other. */
  scores(row: ArrayLike<number>): Float64Array {
    return this.run(row).map((integer, i) => integer / this.circuit.outputScales[i]);
  }

  #lookUp(step: CircuitStep, sums: Float64Array, noise: boolean): Float64Array {
    const { setting, tableOf } = step.lookup!;
    const tables = this.#realTables(step);
    const channels = channelCount(step.layer);
    const reading = Math.sqrt(lweKeyswitchVariance() - lweKeyswitchMeanVariance() + modulusSwitchVariance());
    const writing = noise ? Math.sqrt(lookupOutputVariance(setting)) : 0;
    return sums.map((sum, i) => {
      const read = noise ? sum + this.#keyMean + reading * this.#random.next() : sum;
      const position = modulo(Math.round(read * (2 * N / TORUS)), 2 * N);
      const value = tables[tableOf[i % channels] * N + position % N];
      return Math.round((position < N ? value : -value) + (noise ? writing * this.#random.next() : 0));
    });
  }

  /** Table values in torus units. */
  #realTables(step: CircuitStep): Float64Array {
    const known = this.#tables.get(step);
    if (known !== undefined) return known;
    const values = Float64Array.from(step.lookup!.tables, (coefficient) => {
      const value = Number(coefficient);
      return (value > Q / 2 ? value - Q : value) * (TORUS / Q);
    });
    this.#tables.set(step, values);
    return values;
  }

  #disturb(elements: Float64Array, from: number, to: number, variance: number): void {
    const deviation = Math.sqrt(variance);
    for (let i = from; i < to; i++) elements[i] = Math.round(elements[i] + deviation * this.#random.next());
  }
}

/** Standard Gaussians by Box and Muller's method. */
export class Gaussian {
  readonly #uniform: UniformSource;
  #spare: number | undefined;
  constructor(seed: Uint8Array) {
    this.#uniform = new UniformSource(seed);
  }
  next(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log((this.#uniform.below(TORUS) + 1) / TORUS));
    const angle = 2 * Math.PI * this.#uniform.below(TORUS) / TORUS;
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** x mod 2^32 in [-2^31, 2^31). */
function centred(x: number): number {
  return modulo(x + TORUS / 2, TORUS) - TORUS / 2;
}

function modulo(x: number, modulus: number): number {
  return x - Math.floor(x / modulus) * modulus;
}
