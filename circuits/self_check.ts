/** After an import: the clear circuit against direct evaluation, on rows that try every threshold. */
import { SottoError } from "../errors.ts";
import { evaluate } from "../models/evaluate.ts";
import { randomRows } from "../models/self_check.ts";
import type { ForestModel, LinearModel, Model, Row } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { LeafMatrixSpec, WeightMatrixSpec } from "./backend.ts";
import type { Description, LinearDescription, TreesDescription } from "./description.ts";
import { decodeLinearAnswers, encodeLinearRows } from "./linear_rows.ts";
import { leafOutputs, linearOutputs } from "./plain_outputs.ts";
import { UniformSource } from "./random.ts";
import { decodeTreesAnswers, encodeTreesRows } from "./trees_rows.ts";

/** Rows that one check tries. */
const ROW_COUNT = 64;

/**
 * Evaluates the circuit of `description` and `spec` in clear on random rows and compares its scores with the model's own.
 * @throws SottoError `model_refused` when they differ by more than the rounding of labels or weights explains
 */
export function selfCheck(
  model: Model,
  description: Description,
  spec: LeafMatrixSpec | WeightMatrixSpec,
  rows: readonly Row[] = randomRows(model, ROW_COUNT, 1),
): void {
  if (model.kind === "forest" && description.mode === "leaves") {
    return checkTrees(model, description, spec as LeafMatrixSpec, rows);
  }
  if (model.kind === "linear" && description.mode === "linear") {
    return checkLinear(model, description, spec as WeightMatrixSpec, rows);
  }
  throw new SottoError("internal", `a ${model.kind} model has a description of mode ${description.mode}`);
}

function checkTrees(
  model: ForestModel,
  description: TreesDescription,
  spec: LeafMatrixSpec,
  rows: readonly Row[],
): void {
  const random = new UniformSource();
  rows.forEach((row, r) => {
    const values = leafOutputs(spec, encodeTreesRows(description, [row]), random);
    const scores = decodeTreesAnswers(description, values, 1);
    const exact = evaluate(model, row).margins;
    compare(scores, exact, labelErrorBound(description), r);
  });
}

/** Half a step a tree, and the rounding of sums of doubles. */
function labelErrorBound(description: TreesDescription): number {
  const top = 65536 ** description.label_limbs;
  return description.trees.reduce((sum, { label_offset, label_step }) => {
    return sum + label_step / 2 + (Math.abs(label_offset) + label_step * top) * 1e-12;
  }, 0);
}

function checkLinear(
  model: LinearModel,
  description: LinearDescription,
  spec: WeightMatrixSpec,
  rows: readonly Row[],
): void {
  rows.filter((row) => !row.some(Number.isNaN)).forEach((row, r) => {
    const { messages, scaleLog2s } = encodeLinearRows(description, [row]);
    const values = linearOutputs(spec, messages, CURRENT.ringDegree);
    const scores = decodeLinearAnswers(description, values, 1, scaleLog2s);
    compare(scores, evaluate(model, row).margins, linearErrorBound(description, scaleLog2s[0]), r);
  });
}

/** Rounded inputs move a score by at most 1 / (2 scale) a column, rounded weights by 2^-weight_bits / 2 of the sum of inputs. */
function linearErrorBound(description: LinearDescription, scaleLog2: number): number {
  const inputSum = 2 ** (description.input_sum_bits - scaleLog2);
  return description.column_count * 2 ** -scaleLog2 + inputSum * 2 ** -description.weight_bits;
}

function compare(scores: Float64Array, exact: readonly number[], tolerance: number, r: number): void {
  exact.forEach((value, score) => {
    if (!(Math.abs(scores[score] - value) <= tolerance)) {
      throw new SottoError(
        "model_refused",
        `the self-check failed: on random row ${r + 1} score ${score} is ${
          scores[score]
        } encrypted and ${value} in clear; report the model`,
      );
    }
  });
}
