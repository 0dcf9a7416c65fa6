/** What calibration rows say of a program: how large its values get. Scales, ranges and noise are planned from it. */
import { SottoError } from "../../errors.ts";
import { runClear } from "./clear.ts";
import { channelCount, outputCount, type Program, type Step } from "./program.ts";

export interface InputStatistics {
  /** One an input element. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly meanSquare: Float64Array;
}

export interface StepStatistics {
  /** Largest |sum| of each channel. */
  readonly largest: Float64Array;
  /** Of all outputs: mean of squares, and the largest absolute value. */
  readonly outputMeanSquare: number;
  readonly outputLargest: number;
}

export interface Statistics {
  readonly rowCount: number;
  readonly input: InputStatistics;
  /** One a step. */
  readonly steps: readonly StepStatistics[];
}

/**
 * Runs every row through the program.
 * @throws SottoError `model_refused` without rows, for rows of another width, or where a value is not finite
 */
export function measure(program: Program, rows: readonly ArrayLike<number>[]): Statistics {
  if (rows.length === 0) {
    throw new SottoError("model_refused", "a network needs calibration rows: send some typical ones with the model");
  }
  const input = inputStatistics(program, rows);
  const sums = program.steps.map(({ sum }) => ({
    largest: new Float64Array(channelCount(sum)),
    squares: 0,
    outputLargest: 0,
  }));
  const positions = new Map(program.steps.map((step, i) => [step, i]));
  for (const row of rows) {
    const elements = runClear(program, row, (step, values) => {
      const { largest } = sums[positions.get(step)!];
      values.forEach((value, i) => {
        const channel = i % largest.length;
        largest[channel] = Math.max(largest[channel], Math.abs(value));
      });
      requireFinite(step, values);
    });
    program.steps.forEach((step, i) => {
      for (const value of outputsOf(step, elements)) {
        sums[i].squares += value * value;
        sums[i].outputLargest = Math.max(sums[i].outputLargest, Math.abs(value));
      }
    });
  }
  return {
    rowCount: rows.length,
    input,
    steps: sums.map(({ largest, squares, outputLargest }, i) => ({
      largest,
      outputLargest,
      outputMeanSquare: squares / rows.length / outputCount(program.steps[i].sum),
    })),
  };
}

function inputStatistics(program: Program, rows: readonly ArrayLike<number>[]): InputStatistics {
  const low = new Float64Array(program.inputCount).fill(Infinity);
  const high = new Float64Array(program.inputCount).fill(-Infinity);
  const meanSquare = new Float64Array(program.inputCount);
  rows.forEach((row, r) => {
    if (row.length !== program.inputCount) {
      throw new SottoError(
        "model_refused",
        `calibration row ${r + 1} has ${row.length} values, the network takes ${program.inputCount}`,
      );
    }
    for (let i = 0; i < row.length; i++) {
      if (!Number.isFinite(row[i])) {
        throw new SottoError("model_refused", `calibration row ${r + 1}, column ${i + 1} is not a number: fill it`);
      }
      low[i] = Math.min(low[i], row[i]);
      high[i] = Math.max(high[i], row[i]);
      meanSquare[i] += row[i] * row[i] / rows.length;
    }
  });
  return { low, high, meanSquare };
}

function outputsOf(step: Step, elements: Float64Array): Float64Array {
  return elements.subarray(step.first, step.first + outputCount(step.sum));
}

function requireFinite(step: Step, values: Float64Array): void {
  if (values.every(Number.isFinite)) return;
  throw new SottoError("model_refused", `layer "${step.name}" is not finite on the calibration rows: check both`);
}
