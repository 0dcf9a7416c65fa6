/** Class probabilities add up to one: the last score then needs no lookups. */
import type { ForestModel, Tree } from "../models/types.ts";
import { labelCodes } from "./leaf_labels.ts";

/**
 * The fixed point of mode `leaves`, one a score: half a step of each tree's labels, summed. What a score may be off by design.
 */
export function fixedPointErrors(model: ForestModel): number[] {
  const errors = model.output.base.map(() => 0);
  const codes = labelCodes(model);
  model.trees.forEach((tree, t) => tree.outputs.forEach((score) => errors[score] += codes[t].step / 2));
  return errors;
}

/**
 * The sum of all scores, if every tree adds to all scores and the sum is one constant for all rows, up to a quarter of the last score's
 * fixed point.
 */
export function constantTotal(model: ForestModel): number | undefined {
  const count = model.output.base.length;
  const whole = count > 1 &&
    model.trees.every(({ outputs }) => outputs.length === count && outputs.every((o, i) => o === i));
  if (!whole) return undefined;
  let [total, drift] = [0, 0];
  for (const tree of model.trees) {
    const { least, most } = totalRange(tree);
    total += least / 2 + most / 2;
    drift += most / 2 - least / 2;
  }
  return drift <= fixedPointErrors(model)[count - 1] / 4 ? total : undefined;
}

function totalRange({ nodes }: Tree): { least: number; most: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const node of nodes) {
    if (node.kind === "split") continue;
    const sum = node.values.reduce((total, value) => total + value, 0);
    [least, most] = [Math.min(least, sum), Math.max(most, sum)];
  }
  return { least, most };
}

/** The tree without its last output. */
export function withoutLast({ outputs, nodes }: Tree): Tree {
  return {
    outputs: outputs.slice(0, -1),
    nodes: nodes.map((node) => node.kind === "split" ? node : { ...node, values: node.values.slice(0, -1) }),
  };
}
