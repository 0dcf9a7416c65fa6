/** A tree of mode `score`: only nodes that some row reaches, in preorder, thresholds by index. */
import type { Tree } from "../models/types.ts";
import { type Bounds, narrow, satisfiable } from "./leaf_forms.ts";
import type { MissingCode } from "./missing_codes.ts";

export interface ScoreSplit {
  readonly kind: "split";
  readonly parent: number;
  readonly feature: number;
  readonly threshold: number;
  readonly missingRight: boolean;
  left: number;
  right: number;
}

export interface ScoreLeaf {
  readonly kind: "leaf";
  readonly parent: number;
  /** One value for each output of the tree. */
  readonly values: readonly number[];
}

/** Children follow their parents; the parent of node 0 is -1. */
export type ScoreNode = ScoreSplit | ScoreLeaf;

/** The same function as `tree`: a split of which one side is never reached gives way to its other side. */
export function scoreTree(
  tree: Tree,
  indices: readonly ReadonlyMap<number, number>[],
  codes: readonly MissingCode[],
): ScoreNode[] {
  const nodes: ScoreNode[] = [];
  const pending = [{ source: 0, parent: -1, right: false }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { parent, right } = next;
    const node = tree.nodes[next.source];
    if (node.kind === "leaf") {
      attach(nodes, { kind: "leaf", parent, values: node.values }, right);
      continue;
    }
    const split: ScoreSplit = {
      kind: "split",
      parent,
      feature: node.feature,
      threshold: indices[node.feature].get(node.threshold)!,
      missingRight: node.missing === "right",
      left: -1,
      right: -1,
    };
    const sides = openSides(nodes, split, right, codes[node.feature]);
    if (!sides.left) pending.push({ source: node.right, parent, right });
    else if (!sides.right) pending.push({ source: node.left, parent, right });
    else {
      const at = attach(nodes, split, right);
      pending.push({ source: node.right, parent: at, right: true }, { source: node.left, parent: at, right: false });
    }
  }
  return nodes;
}

function attach(nodes: ScoreNode[], node: ScoreNode, right: boolean): number {
  const at = nodes.push(node) - 1;
  const parent = nodes[node.parent];
  if (parent?.kind === "split") parent[right ? "right" : "left"] = at;
  return at;
}

/** Which sides of a new split some row reaches. */
function openSides(
  nodes: readonly ScoreNode[],
  split: ScoreSplit,
  right: boolean,
  code: MissingCode,
): { left: boolean; right: boolean } {
  let bounds: Bounds = {};
  let [at, side] = [split.parent, right];
  while (at >= 0) {
    const node = nodes[at] as ScoreSplit;
    if (node.feature === split.feature) bounds = follow(bounds, node, side);
    [at, side] = [node.parent, isRight(nodes, at)];
  }
  return {
    left: satisfiable(follow(bounds, split, false), code),
    right: satisfiable(follow(bounds, split, true), code),
  };
}

/** True when a node is the right child of its parent. */
export function isRight(nodes: readonly ScoreNode[], at: number): boolean {
  const parent = nodes[nodes[at].parent];
  return parent?.kind === "split" && parent.right === at;
}

/** The bounds of a split's feature after going to one side of it. */
export function follow(bounds: Bounds, { threshold, missingRight }: ScoreSplit, right: boolean): Bounds {
  return narrow(bounds, { threshold, right }, missingRight === right);
}
