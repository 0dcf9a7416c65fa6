/** Errors of simulated regressions. */
import { CURRENT } from "../../params/mod.ts";
import { errorTable } from "./linear_run.ts";
import {
  constantVariance,
  encryptionVariance,
  productVariance,
  readingVariance,
  rotationVariance,
  switchVariance,
} from "./noise.ts";
import { centredTorus, RandomNoise, toTorus } from "./random_noise.ts";
import { type LinearScales, linearScales } from "./scales.ts";
import { lookupSettingOf } from "./setting.ts";
import { type ErrorSource, exactDot, type SimulatedBatch, type SimulatedState } from "./simulate.ts";
import type { LinearSpec } from "./spec.ts";
import { HALF_RANGE, interleavedTable } from "./tables.ts";

const Q = CURRENT.modulus;

export class LinearErrors implements ErrorSource {
  readonly #scales: LinearScales;
  readonly #rotation: number;
  readonly variance = constantVariance(0);
  #scores = 0;
  #beyond = 0;
  largest = 0;

  constructor(readonly spec: LinearSpec, readonly noise: RandomNoise) {
    this.#scales = linearScales(spec);
    this.#rotation = rotationVariance(lookupSettingOf(spec));
  }

  get outOfRange(): number {
    return this.#beyond / Math.max(1, this.#scores);
  }

  of(step: number, state: SimulatedState, batch: SimulatedBatch): bigint[][] {
    const factor = this.#scales.factors[step];
    const scale = BigInt(factor) * this.#scales.labelScale;
    const table = interleavedTable([errorTable(this.spec, this.#scales, step)]);
    const early = this.spec.kind === "linear";
    return batch.rows.map((row, i) =>
      state.first.map((weights, unit) => {
        const label = this.noise.modular(
          BigInt(batch.labels[i][unit]) * scale,
          factor ** 2 * encryptionVariance("seeded"),
        );
        const score = this.noise.modular(exactDot(row, weights), productVariance(["seeded"]));
        const value = this.#lookUp(table, early ? (score - label + Q) % Q : score);
        return early ? value : (value + label) % Q;
      })
    );
  }

  #lookUp(table: BigUint64Array, score: bigint): bigint {
    const phase = this.noise.torus(toTorus(score) + HALF_RANGE, readingVariance() + switchVariance());
    this.#scores++;
    this.largest = Math.max(this.largest, Math.abs(centredTorus(phase - HALF_RANGE)) / HALF_RANGE);
    if (phase >= 2 * HALF_RANGE) this.#beyond++;
    return this.noise.modular(RandomNoise.read(table, 0, phase, 0), this.#rotation);
  }
}
