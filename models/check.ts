/** The invariants of `types.ts`, checked on every imported model. */
import { LEAF_VALUES_MAX, WIDTH_MAX } from "./limits.ts";
import { castTo } from "./float.ts";
import { place, refuseModel } from "./refuse.ts";
import type { ForestModel, Leaf, LinearModel, Model, Split, Tree } from "./types.ts";

/**
 * Returns the model if it holds what `types.ts` promises.
 * @throws SottoError `model_refused` naming the tree and the node
 */
export function checkModel<M extends Model>(model: M): M {
  checkWidth("features", model.features.length);
  checkWidth("scores", model.output.base.length);
  if (!model.output.base.every(Number.isFinite)) refuseModel("The model's base score is not finite; train it again.");
  if (model.kind === "forest") checkForest(model);
  else checkLinear(model);
  return model;
}

/** @throws SottoError `model_refused` for a number of features or scores that is zero or too large */
export function checkWidth(what: string, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > WIDTH_MAX) {
    refuseModel(`The model has ${count} ${what}; it needs between 1 and ${WIDTH_MAX}.`);
  }
}

function checkForest(model: ForestModel): void {
  if (model.trees.length === 0) refuseModel("The model has no trees; train it with at least one.");
  let leafValues = 0;
  model.trees.forEach((tree, index) => {
    checkTree(model, tree, index);
    leafValues += tree.nodes.length * tree.outputs.length;
  });
  if (leafValues > LEAF_VALUES_MAX) {
    refuseModel(`The model has more than ${LEAF_VALUES_MAX} leaf values; train a smaller one.`);
  }
}

function checkTree(model: ForestModel, tree: Tree, index: number): void {
  if (tree.nodes.length === 0) refuseModel(`Tree ${index} is empty; every tree needs a root.`);
  if (tree.outputs.length === 0 || tree.outputs.some((output) => !isIndex(output, model.output.base.length))) {
    refuseModel(`Tree ${index} adds to a score that the model does not have.`);
  }
  const reached = new Uint8Array(tree.nodes.length);
  const stack = [0];
  while (stack.length > 0) {
    const at = stack.pop()!;
    if (reached[at]++ > 0) refuseModel(`${place(index, at)} is reached twice; a tree has one way to each node.`);
    const node = tree.nodes[at];
    if (node.kind === "leaf") checkLeaf(tree, node, index, at);
    else stack.push(...checkSplit(model, tree, node, index, at));
  }
  const lost = reached.indexOf(0);
  if (lost >= 0) refuseModel(`${place(index, lost)} is never reached from the root.`);
}

function checkLeaf(tree: Tree, leaf: Leaf, index: number, at: number): void {
  if (leaf.values.length !== tree.outputs.length) {
    refuseModel(`${place(index, at)} has ${leaf.values.length} values and its tree ${tree.outputs.length} outputs.`);
  }
  if (!leaf.values.every(Number.isFinite)) refuseModel(`${place(index, at)} has a leaf value that is not finite.`);
}

function checkSplit(model: ForestModel, tree: Tree, split: Split, index: number, at: number): [number, number] {
  const where = place(index, at);
  if (!isIndex(split.feature, model.features.length)) {
    refuseModel(`${where} splits on feature ${split.feature}, and the model has ${model.features.length} features.`);
  }
  const cast = model.features[split.feature].cast;
  if (!Number.isFinite(split.threshold)) refuseModel(`${where} has a threshold that is not a finite number.`);
  if (castTo(cast, split.threshold) !== split.threshold) refuseModel(`${where} has a threshold that is not a ${cast}.`);
  for (const child of [split.left, split.right]) {
    if (!isIndex(child, tree.nodes.length)) {
      refuseModel(`${where} names the child ${child}, which its tree does not have.`);
    }
  }
  return [split.left, split.right];
}

function checkLinear(model: LinearModel): void {
  const { weights, bias, output, features } = model;
  if (weights.length !== output.base.length || bias.length !== weights.length) {
    refuseModel("The model's weights, intercepts and scores differ in number.");
  }
  weights.forEach((row, score) => {
    if (row.length !== features.length) {
      refuseModel(`Score ${score} has ${row.length} weights for ${features.length} features.`);
    }
    if (!row.every(Number.isFinite) || !Number.isFinite(bias[score])) {
      refuseModel(`Score ${score} has a weight or intercept that is not finite; train the model again.`);
    }
  });
}

function isIndex(value: number, length: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < length;
}
