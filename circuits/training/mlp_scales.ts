/**
 * Units and tables of a network. Operands of products are phase u / 16 for |u| <= 4; a product is ab = ((a + b)^2 - (a - b)^2) / 4, two
 * tables whose results are added. Hidden values are scaled to operands (relu: clipped at 8, a quarter), derivatives too (sigmoid: 4 d).
 */
import { CURRENT } from "../../params/mod.ts";
import { rateOf } from "./schedule.ts";
import { type WeightScales, weightScales } from "./scales.ts";
import type { MlpSpec } from "./spec.ts";
import { sigmoid, type TableFunction } from "./tables.ts";

const Q = Number(CURRENT.modulus);
/** Torus of an operand of 1. */
export const OPERAND_UNIT = 1 / 16;
/** Relu is clipped here, so that it stays an operand. */
export const RELU_MAX = 8;

/** What a hidden unit computes, and the factors that turn its value and derivative into operands. */
export interface HiddenFunction {
  readonly value: (z: number) => number;
  readonly derivative: (z: number) => number;
  readonly valueScale: number;
  readonly derivativeScale: number;
}

export const HIDDEN_FUNCTIONS: Readonly<Record<MlpSpec["hidden"]["activation"], HiddenFunction>> = {
  sigmoid: {
    value: sigmoid,
    derivative: (z) => sigmoid(z) * (1 - sigmoid(z)),
    valueScale: 1,
    derivativeScale: 4,
  },
  relu: {
    value: (z) => Math.min(RELU_MAX, Math.max(0, z)),
    derivative: (z) => z > 0 && z < RELU_MAX ? 1 : 0,
    valueScale: 1 / 4,
    derivativeScale: 1,
  },
};

export interface MlpScales extends WeightScales {
  /** Torus of a score of 1, and of a bias of the scores. */
  readonly outputUnit: number;
  /** A label of 1 in units of q: an operand. */
  readonly labelScale: bigint;
}

export function mlpScales(spec: MlpSpec): MlpScales {
  const scales = weightScales(spec);
  return { ...scales, outputUnit: scales.scoreUnit / Q, labelScale: BigInt(Math.round(Q * OPERAND_UNIT)) };
}

/** A product's two tables: of the sum and of the difference of its operands. */
export type ProductTables = readonly [plus: TableFunction, minus: TableFunction];

/** The tables of step t, values in units of q. */
export interface MlpTables {
  /** Hidden value and derivative, of one phase. */
  readonly hidden: readonly [value: TableFunction, derivative: TableFunction];
  /** Hidden value times second-layer weight -> scores. */
  readonly forward: ProductTables;
  readonly sigmoid: TableFunction;
  /** Error times hidden value -> update of the second layer. */
  readonly outputUpdate: ProductTables;
  /** Error -> update of the scores' bias. */
  readonly biasUpdate: TableFunction;
  /** Error times second-layer weight -> operand. */
  readonly backward: ProductTables;
  /** That times the derivative -> error of a hidden unit. */
  readonly hiddenError: ProductTables;
}

export function mlpTables(spec: MlpSpec, scales: MlpScales, step: number): MlpTables {
  const { value, derivative, valueScale, derivativeScale } = HIDDEN_FUNCTIONS[spec.hidden.activation];
  const [decay, next] = [scales.decays[step], scales.decays[step + 1]];
  const rate = rateOf(spec, step) / spec.batch_size;
  const operand = Q * OPERAND_UNIT;
  const hidden = (phase: number) => decay * phase * Q / scales.scoreUnit;
  return {
    hidden: [
      (phase) => operand * valueScale * value(hidden(phase)),
      (phase) => operand * derivativeScale * derivative(hidden(phase)),
    ],
    forward: product(Q * scales.outputUnit / valueScale),
    sigmoid: (phase) => operand * sigmoid(decay * phase / scales.outputUnit),
    outputUpdate: product(-operand * rate / (next * valueScale)),
    biasUpdate: (phase) => -Q * scales.outputUnit * rate / next * (phase / OPERAND_UNIT),
    backward: product(operand),
    hiddenError: product(-scales.errorUnit * rate * decay / (next * derivativeScale)),
  };
}

/** `unit` times the product of two operands. */
function product(unit: number): ProductTables {
  const quarter = (phase: number) => unit * (phase / OPERAND_UNIT) ** 2 / 4;
  return [quarter, (phase) => -quarter(phase)];
}

/** Lookups of one batch. */
export function mlpLookups(rows: number, hidden: number, scores: number): number {
  const products = rows * hidden * scores;
  return rows * hidden + 2 * products + rows * scores + 4 * products + rows * scores + 2 * rows * hidden;
}
