import type { ForestModel, Output, Tree } from "../models/types.ts";

/** Base of a digit: 16 bits, below the plaintext modulus. */
export const LIMB_BASE = 65536;

/** How the leaf values of one tree become digits: value = offset + step * sum_i digit_i 2^(16 i). */
export interface LabelCode {
  readonly limbs: 1 | 2;
  readonly offset: number;
  readonly step: number;
}

/** Largest error of a summed score that a prediction may show, before the transform; for `exp` divided by the largest prediction. */
const SCORE_ERROR: Record<Output["transform"], number> = {
  identity: 1e-4,
  exp: 1e-4,
  logistic: 4e-4,
  softmax: 2e-4,
  one_vs_rest_logistic: 2e-4,
};

/**
 * The code of each tree, over its own range of values. One digit if the rounding of the summed leaf values, each uniform over its
 * tree's step, has sigma = sqrt(sum_t step_t^2 / 12) within a quarter of the error that the transform allows, for every score; two
 * digits otherwise.
 */
export function labelCodes(model: ForestModel): LabelCode[] {
  const single = model.trees.map((tree) => codeOf(tree, 1));
  const variances = model.output.base.map(() => 0);
  model.trees.forEach((tree, t) => {
    for (const score of tree.outputs) variances[score] += single[t].step ** 2 / 12;
  });
  const sigma = Math.sqrt(variances.reduce((most, variance) => Math.max(most, variance), 0));
  return sigma <= scoreError(model) / 4 ? single : model.trees.map((tree) => codeOf(tree, 2));
}

/**
 * The error of a summed score that the output's transform allows. d exp(s) = exp(s) ds: predictions that can be large need scores that
 * are finer.
 */
export function scoreError({ trees, output }: ForestModel): number {
  if (output.transform !== "exp") return SCORE_ERROR[output.transform];
  const most = [...output.base];
  for (const tree of trees) for (const score of tree.outputs) most[score] += largestValue(tree);
  return SCORE_ERROR.exp / Math.max(1, ...most.map(Math.exp));
}

function largestValue(tree: Tree): number {
  return tree.nodes.reduce((most, node) => node.kind === "split" ? most : Math.max(most, ...node.values), -Infinity);
}

function codeOf(tree: Tree, limbs: 1 | 2): LabelCode {
  let least = Infinity, most = -Infinity;
  for (const node of tree.nodes) {
    if (node.kind === "split") continue;
    for (const value of node.values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  }
  const top = LIMB_BASE ** limbs - 1;
  return { limbs, offset: least, step: most / top - least / top };
}

/** The digits of one leaf value, least significant first. */
export function labelDigits(code: LabelCode, value: number): number[] {
  const top = LIMB_BASE ** code.limbs - 1;
  const steps = code.step === 0 ? 0 : Math.min(top, Math.max(0, Math.round((value - code.offset) / code.step)));
  return code.limbs === 1 ? [steps] : [steps % LIMB_BASE, Math.floor(steps / LIMB_BASE)];
}
