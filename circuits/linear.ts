/**
 * Linear models: many rows in one ciphertext, one clear product a score, no evaluation keys.
 *
 * Fixed point that can never overflow: column f carries y_f = x_f 2^(e_f) with 2^(e_f) >= max_c |w_cf|, so that every scaled weight is
 * at most 1; the client picks a scale per ciphertext with sum_f |round(y_f scale)| <= 2^input_sum_bits for each of its rows, the
 * weights are integers of at most 2^weight_bits, and their products sum to at most 2^48 < q / 2.
 * Rows lie D' = columns rounded up to a power of two apart; the weight polynomial has w_f at X^-f, so row r's score is at coefficient
 * r D' (negacyclic, nothing else reaches it).
 */
import { SottoError } from "../errors.ts";
import type { Feature, LinearModel } from "../models/types.ts";
import { CURRENT, type ParameterSet } from "../params/mod.ts";
import type { UnitCosts, WeightMatrixSpec } from "./backend.ts";
import type { LinearDescription } from "./description.ts";
import { inputRecordBytes, linearAnswerRecordBytes, paddedColumns } from "./layout.ts";
import { answerRoundingVariance, failureLog2, freshVariance, inputRoundingVariance, linearVariance } from "./noise.ts";

/** log2 of the largest sum of products: a quarter of q, the rest is room for noise. */
export const LINEAR_SUM_BITS = 48;

/** Exponent of a column without weight: 2^-1074, whatever it holds rounds to 0. */
const NO_WEIGHT = -1074;

export interface LinearOptions {
  readonly parameters?: ParameterSet;
  /** The name that files carry when it is not the set's own: that of the plain back end in tests. */
  readonly parameterSet?: string;
  readonly inputBits?: number;
  readonly answerBits?: number;
}

export interface LinearPlan {
  readonly description: LinearDescription;
  readonly spec: WeightMatrixSpec;
}

/**
 * Integer weights, layout, cost and noise of a linear model.
 * @throws SottoError `model_refused` for more columns than coefficients, or weights that are not finite
 */
export function planLinear(model: LinearModel, unitCosts: UnitCosts, options: LinearOptions = {}): LinearPlan {
  const parameters = options.parameters ?? CURRENT;
  const inputBits = options.inputBits ?? 50;
  const answerBits = options.answerBits ?? 36;
  const columns = weightColumns(model);
  requireFits(columns, model, parameters);
  const exponents = columns.map(columnExponent);
  const scaled = columns.map((column, f) => column.map((weight) => timesPower(weight, -exponents[f])));
  const noise = noiseOf(parameters, inputBits, answerBits);
  const inputSumBits = chooseInputSumBits(scaled, noise);
  const spec = integerWeights(scaled, model.weights.length, LINEAR_SUM_BITS - inputSumBits);
  const layout = {
    scoreCount: spec.rowCount,
    columnCount: spec.columnCount,
    ringDegree: parameters.ringDegree,
    bits: answerBits,
  };
  const rows = parameters.ringDegree / paddedColumns(spec.columnCount, parameters.ringDegree);
  const sigma = Math.sqrt(noise.fresh * heaviestRow(spec) + noise.rounding);
  const description: LinearDescription = {
    mode: "linear",
    parameter_set: options.parameterSet ?? parameters.name,
    input_bits: inputBits,
    answer_bits: answerBits,
    features: model.features.map((feature, f) => ({ ...describe(feature), exponent: exponents[f] })),
    bias_exponent: exponents[model.features.length],
    weight_bits: LINEAR_SUM_BITS - inputSumBits,
    input_sum_bits: inputSumBits,
    column_count: spec.columnCount,
    rows_per_ciphertext: rows,
    score_count: spec.rowCount,
    output: { ...model.output, base: [...model.output.base], labels: [...model.output.labels] },
    plan: {
      failure_log2: failureLog2(sigma, Number(parameters.modulus) / 2 - 2 ** LINEAR_SUM_BITS, spec.rowCount),
      noise_log2: Math.log2(sigma),
      products_per_row: spec.rowCount / rows,
      keyswitches_per_row: 0,
      server_ms_per_row: (unitCosts.expand_ns + spec.rowCount * unitCosts.product_ns) / rows / 1e6,
      upload_bytes_per_row: inputRecordBytes(inputBits, parameters.ringDegree) / rows,
      answer_bytes_per_row: linearAnswerRecordBytes(layout) / rows,
    },
  };
  return { description, spec };
}

/**
 * Expected absolute error of a score (one standard deviation) of a row with sum_f |y_f| = `inputSum` in a ciphertext of scale
 * `scale`: encryption noise, rounded inputs (uniform over 1 / scale, a weight at most 1) and rounded weights (uniform over
 * 2^-weight_bits, the whole sum in one column: less where it is spread).
 */
export function linearErrorExpected(description: LinearDescription, inputSum: number, scale: number): number {
  const noise = 2 ** (description.plan.noise_log2 - description.weight_bits) / scale;
  const inputs = Math.sqrt(description.column_count / 12) / scale;
  const weights = inputSum * 2 ** -description.weight_bits / Math.sqrt(12);
  return Math.hypot(noise, inputs, weights);
}

/** A missing value would make every score undefined: what another model calls missing, a linear one refuses. */
function describe({ name, cast, missing }: Feature): Feature {
  return { name, cast, missing: missing === "as_zero" ? "as_zero" : "refused" };
}

/** Columns of weights, one weight a score: the features, then the bias. */
function weightColumns(model: LinearModel): number[][] {
  const features = model.features.map((_, f) => model.weights.map((row) => row[f]));
  return [...features, [...model.bias]];
}

function requireFits(columns: readonly number[][], model: LinearModel, parameters: ParameterSet): void {
  if (columns.length > parameters.ringDegree) {
    throw new SottoError(
      "model_refused",
      `the model has ${columns.length - 1} features; a linear model can have ${parameters.ringDegree - 1}`,
    );
  }
  columns.forEach((column, f) => {
    if (!column.every(Number.isFinite)) {
      const what = model.features[f] === undefined ? "the bias" : `the weight of feature ${model.features[f].name}`;
      throw new SottoError("model_refused", `${what} is not a finite number; train the model again`);
    }
  });
}

/** The smallest e with 2^e >= |w| for every weight of the column. */
function columnExponent(column: readonly number[]): number {
  const most = column.reduce((sum, weight) => Math.max(sum, Math.abs(weight)), 0);
  if (most === 0) return NO_WEIGHT;
  let exponent = Math.ceil(Math.log2(most));
  while (timesPower(most, -exponent) > 1) exponent++;
  while (exponent > NO_WEIGHT && timesPower(most, 1 - exponent) <= 1) exponent--;
  return exponent;
}

/** x 2^exponent, in two steps so that neither factor leaves the range of doubles. */
export function timesPower(x: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return x * 2 ** half * 2 ** (exponent - half);
}

function noiseOf(parameters: ParameterSet, inputBits: number, answerBits: number): { fresh: number; rounding: number } {
  const fresh = linearVariance(freshVariance(parameters) + inputRoundingVariance(inputBits), 1);
  return { fresh, rounding: answerRoundingVariance(parameters, answerBits) };
}

/**
 * Splits the 48 bits: more for the inputs makes noise and input rounding smaller, more for the weights their rounding. Takes the
 * split whose expected error is smallest for the worst score, for a row whose sum lies in one column, any of them alike.
 */
function chooseInputSumBits(scaled: readonly number[][], noise: { fresh: number; rounding: number }): number {
  let best = 28, least = Infinity;
  for (let bits = 24; bits <= 30; bits++) {
    const error = Math.max(
      ...scaled[0].map((_, score) => splitError(scaled.map((column) => column[score]), bits, noise)),
    );
    if (error < least) [best, least] = [bits, error];
  }
  return best;
}

/** Variance of a score for sum_f |y_f| = 1, hence scale = 2^inputSumBits. */
function splitError(
  weights: readonly number[],
  inputSumBits: number,
  noise: { fresh: number; rounding: number },
): number {
  const weightUnit = 2 ** (LINEAR_SUM_BITS - inputSumBits);
  const squared = weights.reduce((sum, weight) => sum + weight * weight, 0);
  const rounded = weights.reduce(
    (sum, weight) => sum + (Math.round(weight * weightUnit) / weightUnit - weight) ** 2,
    0,
  );
  return (noise.fresh + 1 / 12) * squared / 4 ** inputSumBits + noise.rounding / 4 ** LINEAR_SUM_BITS +
    rounded / weights.length;
}

function integerWeights(scaled: readonly number[][], rowCount: number, weightBits: number): WeightMatrixSpec {
  const columnCount = scaled.length;
  const weights = new Int32Array(rowCount * columnCount);
  scaled.forEach((column, f) =>
    column.forEach((weight, c) => weights[c * columnCount + f] = Math.round(weight * 2 ** weightBits))
  );
  return { rowCount, columnCount, weights };
}

function heaviestRow(spec: WeightMatrixSpec): number {
  let most = 0;
  for (let c = 0; c < spec.rowCount; c++) {
    const row = spec.weights.subarray(c * spec.columnCount, (c + 1) * spec.columnCount);
    most = Math.max(most, row.reduce((sum, weight) => sum + weight * weight, 0));
  }
  return most;
}
