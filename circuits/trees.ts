/**
 * Tree models in mode `leaves`: the client sends threshold bits, the server answers a blinded zero test and blinded labels for every
 * leaf, shuffled within each tree; the client finds the zero of each tree and sums. After arXiv 2303.01254, without bootstrapping.
 *
 * Cost a row: `products_per_row` clear products, `keyswitches_per_row` merges. Noise: see `treesNoise`.
 */
import { SottoError } from "../errors.ts";
import type { ForestModel } from "../models/types.ts";
import { CURRENT, type ParameterSet } from "../params/mod.ts";
import type { LeafMatrixSpec, UnitCosts } from "./backend.ts";
import { compileForest } from "./compile_forest.ts";
import type { TreesDescription } from "./description.ts";
import {
  answerRoundingVariance,
  failureLog2,
  FLOOD_LOG,
  freshVariance,
  inputRoundingVariance,
  linearVariance,
  packVariance,
  publicKeyVariance,
} from "./noise.ts";
import { type AnswerLayout, answerLayout, inputRecordBytes, packLevels, paddedColumns } from "./layout.ts";

/** Largest log2 of the failure probability of one answer. */
export const TREES_FAILURE_LOG2_MAX = -64;

export interface TreesOptions {
  readonly parameters?: ParameterSet;
  /** The name that files carry when it is not the set's own: that of the plain back end in tests. */
  readonly parameterSet?: string;
  readonly inputBits?: number;
  readonly answerBits?: number;
}

export interface TreesPlan {
  readonly description: TreesDescription;
  readonly spec: LeafMatrixSpec;
}

/**
 * Compiles a forest and computes its cost and its noise before anything runs.
 * @throws SottoError `model_refused` when a wrong answer would be more likely than 2^-64
 */
export function planTrees(model: ForestModel, unitCosts: UnitCosts, options: TreesOptions = {}): TreesPlan {
  const parameters = options.parameters ?? CURRENT;
  const inputBits = options.inputBits ?? 48;
  const answerBits = options.answerBits ?? 26;
  const { spec, layout } = compileForest(model);
  const description: TreesDescription = {
    mode: "leaves",
    parameter_set: options.parameterSet ?? parameters.name,
    input_bits: inputBits,
    answer_bits: answerBits,
    plaintext_modulus: spec.plaintextModulus,
    ...layout,
    ciphertexts_per_row: Math.ceil(spec.columnCount / parameters.ringDegree),
    output: copyOutput(model),
    plan: treesPlan(spec, unitCosts, parameters, inputBits, answerBits),
  };
  return { description, spec };
}

function copyOutput(model: ForestModel): TreesDescription["output"] {
  return { ...model.output, base: [...model.output.base], labels: [...model.output.labels] };
}

function treesPlan(
  spec: LeafMatrixSpec,
  unitCosts: UnitCosts,
  parameters: ParameterSet,
  inputBits: number,
  answerBits: number,
): TreesDescription["plan"] {
  const answer = specLayout(spec, parameters, answerBits);
  const { sigma, halfSlot } = treesNoise(spec, parameters, inputBits, answerBits);
  const failure = failureLog2(sigma, halfSlot, answer.positions.length);
  if (!(failure <= TREES_FAILURE_LOG2_MAX)) {
    throw new SottoError(
      "model_refused",
      `an answer of this model would be wrong with probability 2^${
        failure.toFixed(1)
      }, the limit is 2^-64; prune its trees`,
    );
  }
  const ciphertexts = Math.ceil(spec.columnCount / parameters.ringDegree);
  const products = productsPerRow(spec, answer, parameters.ringDegree);
  const keyswitches = keyswitchesPerRow(answer, spec.columnCount, parameters.ringDegree);
  return {
    failure_log2: failure,
    noise_log2: Math.log2(sigma),
    products_per_row: products,
    keyswitches_per_row: keyswitches,
    server_ms_per_row: treesServerMs(ciphertexts, answer.usefulCounts.length, products, keyswitches, unitCosts),
    upload_bytes_per_row: ciphertexts * inputRecordBytes(inputBits, parameters.ringDegree),
    answer_bytes_per_row: answer.recordBytes,
  };
}

function specLayout(spec: LeafMatrixSpec, parameters: ParameterSet, bits: number): AnswerLayout {
  const outputs = spec.constants.length * (1 + spec.labelCount);
  return answerLayout({ outputs, columnCount: spec.columnCount, ringDegree: parameters.ringDegree, bits });
}

/** Clear products: one for each group of outputs and each input ciphertext that its columns touch. */
function productsPerRow(spec: LeafMatrixSpec, answer: AnswerLayout, ringDegree: number): number {
  if (spec.columnCount <= ringDegree) return answer.productCount;
  let sum = 0;
  for (let leaf = 0; leaf < spec.constants.length; leaf++) {
    const columns = spec.columns.subarray(spec.rowOffsets[leaf], spec.rowOffsets[leaf + 1]);
    const touched = new Set([...columns].map((column) => Math.floor(column / ringDegree)));
    sum += (1 + spec.labelCount) * Math.max(1, touched.size);
  }
  return sum;
}

/** Merges: a pack tree of M products costs M - 1, since a node without right child is only doubled. */
function keyswitchesPerRow(answer: AnswerLayout, columnCount: number, ringDegree: number): number {
  const perProduct = ringDegree / paddedColumns(columnCount, ringDegree);
  return answer.usefulCounts.reduce((sum, useful) => sum + Math.ceil(useful / perProduct) - 1, 0);
}

/**
 * One thread: every input ciphertext is expanded; a product comes with a merge, but for one product of every answer ciphertext; an
 * answer ciphertext is transformed back, randomised and compressed, about the work of two expansions.
 */
function treesServerMs(
  inputs: number,
  answers: number,
  products: number,
  keyswitches: number,
  costs: UnitCosts,
): number {
  const alone = (products - keyswitches) * 1.5 * costs.ntt_ns;
  return ((inputs + 2 * answers) * costs.expand_ns + keyswitches * costs.packed_product_ns + alone) / 1e6;
}

/**
 * Deviation of the noise of the worst output, and the distance to a wrong value, in units of the modulus's integers.
 *
 * V = k (p/2)^2 max_l ||w_l||^2 (V_fresh + V_input rounding) + V_pack + V_zero + V_answer rounding: the k outputs of a product share
 * one polynomial, so each meets the noise of all; the blinded weights r w mod p are at most p/2; V_zero is the encryption of zero
 * that randomises the answer. Its flooding noise is bounded by 2^FLOOD_LOG and shrinks the half slot. The slot delta = floor(q/p) is
 * not q/p: a sum that wraps k times mod p moves the phase by k (q - delta p), at most ||w||_1 / 2 + 2 times; the half slot shrinks by
 * that too.
 */
export function treesNoise(
  spec: LeafMatrixSpec,
  parameters: ParameterSet,
  inputBits: number,
  answerBits: number,
): { sigma: number; halfSlot: number } {
  const p = spec.plaintextModulus;
  const weights = heaviestLeaf(spec);
  const product = linearVariance(
    freshVariance(parameters) + inputRoundingVariance(inputBits),
    outputsPerProduct(spec, parameters) * (p / 2) ** 2 * weights.squared,
  );
  const variance = product + packVariance(parameters, parameters.gadgets.trees, deepestPack(spec, parameters)) +
    publicKeyVariance(parameters) + answerRoundingVariance(parameters, answerBits);
  const delta = parameters.modulus / BigInt(p);
  const drift = (weights.absolute / 2 + 2) * Number(parameters.modulus - delta * BigInt(p));
  return { sigma: Math.sqrt(variance), halfSlot: Number(delta) / 2 - drift - 2 ** FLOOD_LOG };
}

function outputsPerProduct(spec: LeafMatrixSpec, parameters: ParameterSet): number {
  return parameters.ringDegree / paddedColumns(spec.columnCount, parameters.ringDegree);
}

function heaviestLeaf(spec: LeafMatrixSpec): { squared: number; absolute: number } {
  let squared = 0, absolute = 0;
  for (let leaf = 0; leaf < spec.constants.length; leaf++) {
    let squares = 0, sizes = 0;
    for (let i = spec.rowOffsets[leaf]; i < spec.rowOffsets[leaf + 1]; i++) {
      squares += spec.weights[i] ** 2;
      sizes += Math.abs(spec.weights[i]);
    }
    [squared, absolute] = [Math.max(squared, squares), Math.max(absolute, sizes)];
  }
  return { squared, absolute };
}

function deepestPack(spec: LeafMatrixSpec, parameters: ParameterSet): number {
  const answer = specLayout(spec, parameters, 1);
  const perProduct = parameters.ringDegree / paddedColumns(spec.columnCount, parameters.ringDegree);
  return Math.max(...answer.usefulCounts.map((useful) => packLevels(Math.ceil(useful / perProduct))));
}
