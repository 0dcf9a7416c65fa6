/** Errors of simulated networks. */
import { lookupOutputVariance } from "../lookup_noise.ts";
import { CURRENT } from "../../params/mod.ts";
import { type MlpScales, mlpScales, mlpTables, type ProductTables } from "./mlp_scales.ts";
import { constantVariance, productVariance, readingVariance, rotationVariance, switchVariance } from "./noise.ts";
import { centredTorus, RandomNoise, toTorus } from "./random_noise.ts";
import { lookupSettingOf } from "./setting.ts";
import { type ErrorSource, exactDot, type SimulatedBatch, type SimulatedState } from "./simulate.ts";
import type { MlpSpec } from "./spec.ts";
import { HALF_RANGE, interleavedTable, type TableFunction } from "./tables.ts";

const Q = CURRENT.modulus;

type ProductPolynomials = readonly [plus: BigUint64Array, minus: BigUint64Array];

export class MlpErrors implements ErrorSource {
  readonly #scales: MlpScales;
  readonly #rotation: number;
  readonly #rotationTorus: number;
  readonly variance = constantVariance(0);
  #phases = 0;
  #beyond = 0;
  largest = 0;

  constructor(readonly spec: MlpSpec, readonly noise: RandomNoise) {
    this.#scales = mlpScales(spec);
    const setting = lookupSettingOf(spec);
    this.#rotation = rotationVariance(setting);
    this.#rotationTorus = lookupOutputVariance(setting);
  }

  get outOfRange(): number {
    return this.#beyond / Math.max(1, this.#phases);
  }

  of(step: number, state: SimulatedState, batch: SimulatedBatch): bigint[][] {
    const tables = mlpTables(this.spec, this.#scales, step);
    const [forward, outputUpdate, backward, hiddenError] = [
      tables.forward,
      tables.outputUpdate,
      tables.backward,
      tables.hiddenError,
    ].map(polynomials);
    const [sigmoid, bias] = [polynomial(tables.sigmoid), polynomial(tables.biasUpdate)];
    const hidden = batch.rows.map((row) => this.#hidden(interleavedTable(tables.hidden), row, state.first));
    const errors = hidden.map(({ values }, i) =>
      state.second.map((weights, c) => {
        let score = weights[values.length];
        values.forEach((value, h) => score += this.#product(forward, value, weights[h]));
        const label = batch.labels[i][c] * toTorus(this.#scales.labelScale);
        return centredTorus(this.#lookUp(sigmoid, score) - label);
      })
    );
    const results = hidden.map(({ values, derivatives }, i) =>
      values.map((_, h) => {
        let back = 0;
        errors[i].forEach((error, c) => back += this.#product(backward, error, state.second[c][h]));
        return this.#modularProduct(hiddenError, back, derivatives[h]);
      })
    );
    this.#advance(state, hidden.map(({ values }) => values), errors, outputUpdate, bias);
    return results;
  }

  /** Adds the updates of the second layer. */
  #advance(
    state: SimulatedState,
    values: readonly number[][],
    errors: readonly number[][],
    update: ProductPolynomials,
    bias: BigUint64Array,
  ): void {
    state.second.forEach((weights, c) => {
      const width = weights.length - 1;
      values.forEach((row, i) => {
        for (let h = 0; h < width; h++) weights[h] += this.#product(update, errors[i][c], row[h]);
        weights[width] += this.#lookUp(bias, errors[i][c]);
      });
      weights.forEach((weight, h) => weights[h] = centredTorus(weight));
    });
  }

  #hidden(table: BigUint64Array, row: Int32Array, first: readonly BigUint64Array[]) {
    const values: number[] = [], derivatives: number[] = [];
    for (const weights of first) {
      const sum = this.noise.modular(exactDot(row, weights), productVariance(["seeded"]));
      const phase = this.#phase(toTorus(sum), 1);
      values.push(this.#torus(RandomNoise.read(table, 1, phase, 0)));
      derivatives.push(this.#torus(RandomNoise.read(table, 1, phase, 1)));
    }
    return { values, derivatives };
  }

  #product([plus, minus]: ProductPolynomials, a: number, b: number): number {
    return this.#lookUp(plus, a + b) + this.#lookUp(minus, a - b);
  }

  #modularProduct([plus, minus]: ProductPolynomials, a: number, b: number): bigint {
    const value = (table: BigUint64Array, sum: number) =>
      this.noise.modular(RandomNoise.read(table, 0, this.#phase(sum, 0), 0), this.#rotation);
    return (value(plus, a + b) + value(minus, a - b)) % Q;
  }

  /** A centred result on the torus. */
  #lookUp(table: BigUint64Array, sum: number): number {
    return this.#torus(RandomNoise.read(table, 0, this.#phase(sum, 0), 0));
  }

  #torus(value: bigint): number {
    return centredTorus(this.noise.torus(toTorus(value), this.#rotationTorus));
  }

  /** What a rotation reads: half of the range and the noise of both switches added. */
  #phase(sum: number, valuesLog: number): number {
    const phase = this.noise.torus(sum + HALF_RANGE, readingVariance(valuesLog) + switchVariance());
    this.#phases++;
    this.largest = Math.max(this.largest, Math.abs(centredTorus(phase - HALF_RANGE)) / HALF_RANGE);
    if (phase >= 2 * HALF_RANGE) this.#beyond++;
    return phase;
  }
}

function polynomial(value: TableFunction): BigUint64Array {
  return interleavedTable([value]);
}

function polynomials([plus, minus]: ProductTables): ProductPolynomials {
  return [polynomial(plus), polynomial(minus)];
}
