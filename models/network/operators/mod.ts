/** The operators of networks, by the name that ONNX gives them. */
import type { Operator } from "../step.ts";
import { ACTIVATIONS } from "./activations.ts";
import { ANSWERS } from "./answers.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CONSTANTS } from "./constants.ts";
import { conv, pad } from "./convolution.ts";
import { batchNormalization, gemm, matmul, scaler } from "./dense.ts";
import { averagePool, globalPool, maxPool, reduce } from "./pooling.ts";
import { REORDER } from "./reorder.ts";
import { slice, split } from "./slice.ts";

export const OPERATORS: ReadonlyMap<string, Operator> = new Map(Object.entries({
  ...ACTIVATIONS,
  ...ANSWERS,
  ...ARITHMETIC,
  ...CONSTANTS,
  ...REORDER,
  Gemm: gemm,
  MatMul: matmul,
  BatchNormalization: batchNormalization,
  Scaler: scaler,
  Conv: conv,
  Pad: pad,
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: globalPool("average_pool"),
  GlobalMaxPool: globalPool("max_pool"),
  ReduceMean: reduce("average_pool"),
  ReduceSum: reduce("average_pool", true),
  ReduceMax: reduce("max_pool"),
  Slice: slice,
  Split: split,
}));

const QUANTISED = "quantised models do not run; export the float32 model, which Sotto quantises itself";
const RECURRENT = "recurrent layers do not run; use dense or convolution layers";
const ATTENTION = "attention does not run; use dense or convolution layers";
const BRANCHING = "graphs that branch or loop do not run; export the model by tracing it";
const BY_INPUT = "normalisation by the input's own statistics does not run; use batch normalisation";
const FOREST = "a file holds either one tree or linear model, or a network; export them apart";

/** What to do instead of operators that are refused, where more is to be said than that. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/quantize|Integer$|^QLinear/i, QUANTISED],
  [/^(LSTM|GRU|RNN)$/, RECURRENT],
  [/Attention|Einsum/, ATTENTION],
  [/^(If|Loop|Scan|SequenceMap)$/, BRANCHING],
  [/^(Layer|Instance|Group|RMS|MeanVariance|Lp)Norm/, BY_INPUT],
  [/^(TreeEnsemble|Linear|SVM)/, FOREST],
];

/** The advice that goes with the refusal of an operator. */
export function insteadOf(operator: string): string {
  const found = INSTEAD.find(([pattern]) => pattern.test(operator));
  return found?.[1] ?? `export the model without it; supported are ${[...OPERATORS.keys()].sort().join(", ")}`;
}
