/** The trees of TreeEnsembleClassifier and TreeEnsembleRegressor. Source: the ONNX-ML operator pages. */
import { type Cast, leastValue } from "./float.ts";
import { LEAF_VALUES_MAX } from "./limits.ts";
import type { Attributes, Numbers } from "./onnx_attributes.ts";
import { place, refuseModel } from "./refuse.ts";
import type { Split } from "./types.ts";

/** What a leaf adds: value `weight` to score `output`. */
export interface Addend {
  readonly output: number;
  readonly weight: number;
}

/** A tree before its leaves are laid out: node 0 is the root; a leaf holds its addends. */
export type RawNode = Split | { readonly kind: "leaf"; readonly addends: Addend[] };
export interface RawTree {
  readonly nodes: readonly RawNode[];
}

export interface RawForest {
  readonly trees: readonly RawTree[];
  /** Some node sends missing values along its true branch, so the model was trained with missing values. */
  readonly takesMissing: boolean;
  readonly cast: Cast;
}

/** For each mode: does "x compares with v" hold on the right side, and is the threshold the next value after v. */
const MODES: Record<string, { trueIsRight: boolean; next: boolean }> = {
  BRANCH_LEQ: { trueIsRight: false, next: true },
  BRANCH_LT: { trueIsRight: false, next: false },
  BRANCH_GTE: { trueIsRight: true, next: false },
  BRANCH_GT: { trueIsRight: true, next: true },
};

interface Columns {
  readonly trees: readonly number[];
  readonly ids: readonly number[];
  readonly features: readonly number[];
  readonly values: Numbers;
  readonly modes: readonly string[];
  readonly whenTrue: readonly number[];
  readonly whenFalse: readonly number[];
  readonly tracksTrue: readonly number[];
}

/** The positions in the columns of one tree's nodes, by node id. */
type Positions = Map<number, number>;

/**
 * @param weightPrefix "class" or "target": how the attributes of leaf weights are named
 * @param cast precision of the input tensor; single-precision thresholds compare in single precision, as the libraries that
 * write them do
 */
export function readTrees(core: Attributes, weightPrefix: "class" | "target", cast: Cast): RawForest {
  const columns = columnsOf(core);
  const precision = columns.values.double ? cast : "float32";
  const positions = positionsOf(columns);
  const addends = addendsOf(core, weightPrefix, columns, positions);
  const trees = [...positions.values()].map((tree, index) => treeOf(columns, tree, addends, index, precision));
  return { trees, takesMissing: columns.tracksTrue.some((flag) => flag !== 0), cast: precision };
}

function columnsOf(core: Attributes): Columns {
  const columns = {
    trees: core.ints("nodes_treeids"),
    ids: core.ints("nodes_nodeids"),
    features: core.ints("nodes_featureids"),
    values: core.numbers("nodes_values"),
    modes: core.strings("nodes_modes"),
    whenTrue: core.ints("nodes_truenodeids"),
    whenFalse: core.ints("nodes_falsenodeids"),
    tracksTrue: core.ints("nodes_missing_value_tracks_true"),
  };
  const count = columns.trees.length;
  if (count === 0) refuseModel(`${core.label} has no trees; train it with at least one.`);
  const { ids, features, values, modes, whenTrue, whenFalse, tracksTrue } = columns;
  const lengths = [ids, features, values.values, modes, whenTrue, whenFalse].map((column) => column.length);
  if (lengths.some((length) => length !== count) || ![0, count].includes(tracksTrue.length)) {
    refuseModel(`${core.label} has node attributes of different lengths.`);
  }
  return columns;
}

function positionsOf({ trees, ids }: Columns): Map<number, Positions> {
  const all = new Map<number, Positions>();
  trees.forEach((tree, position) => {
    let nodes = all.get(tree);
    if (!nodes) all.set(tree, nodes = new Map());
    if (nodes.has(ids[position])) refuseModel(`${place(tree, ids[position])} is there twice.`);
    nodes.set(ids[position], position);
  });
  return all;
}

/** Leaf weights by position of the leaf. */
function addendsOf(
  core: Attributes,
  prefix: string,
  columns: Columns,
  trees: Map<number, Positions>,
): Map<number, Addend[]> {
  const [treeIds, nodeIds] = [core.ints(`${prefix}_treeids`), core.ints(`${prefix}_nodeids`)];
  const [outputs, weights] = [core.ints(`${prefix}_ids`), core.numbers(`${prefix}_weights`).values];
  if ([nodeIds, outputs, weights].some((column) => column.length !== treeIds.length)) {
    refuseModel(`${core.label} has leaf attributes of different lengths.`);
  }
  if (weights.length > LEAF_VALUES_MAX) refuseModel(`${core.label} has more than ${LEAF_VALUES_MAX} leaf values.`);
  const addends = new Map<number, Addend[]>();
  treeIds.forEach((tree, index) => {
    const position = trees.get(tree)?.get(nodeIds[index]);
    const where = place(tree, nodeIds[index]);
    if (position === undefined || columns.modes[position] !== "LEAF") {
      refuseModel(`${where} has a leaf value and is no leaf.`);
    }
    if (!Number.isFinite(weights[index])) refuseModel(`${where} has a leaf value that is not finite.`);
    const list = addends.get(position);
    if (list) list.push({ output: outputs[index], weight: weights[index] });
    else addends.set(position, [{ output: outputs[index], weight: weights[index] }]);
  });
  return addends;
}

function treeOf(columns: Columns, tree: Positions, addends: Map<number, Addend[]>, index: number, cast: Cast): RawTree {
  const order = rootFirst(columns, tree, index);
  const numbers = new Map(order.map((position, number) => [columns.ids[position], number]));
  const nodes = order.map((position): RawNode => {
    if (columns.modes[position] === "LEAF") return { kind: "leaf", addends: addends.get(position) ?? [] };
    return splitOf(columns, position, numbers, place(index, columns.ids[position]), cast);
  });
  return { nodes };
}

/** The tree's positions with its root, the only node without a parent, in front. */
function rootFirst(columns: Columns, tree: Positions, index: number): number[] {
  const order = [...tree.values()];
  const children = new Set<number>();
  for (const position of order) {
    if (columns.modes[position] === "LEAF") continue;
    for (const child of [columns.whenTrue[position], columns.whenFalse[position]]) {
      if (!tree.has(child)) {
        refuseModel(`${place(index, columns.ids[position])} names the child ${child}, which its tree does not have.`);
      }
      children.add(child);
    }
  }
  const roots = order.filter((position) => !children.has(columns.ids[position]));
  if (roots.length !== 1) {
    const named = roots.slice(0, 5).map((position) => `node ${columns.ids[position]}`).join(", ") || "none";
    refuseModel(`Tree ${index} needs exactly one root; its nodes without a parent: ${named}.`);
  }
  return [roots[0], ...order.filter((position) => position !== roots[0])];
}

function splitOf(columns: Columns, position: number, numbers: Map<number, number>, where: string, cast: Cast): Split {
  const mode = Object.hasOwn(MODES, columns.modes[position]) ? MODES[columns.modes[position]] : refuseModel(
    `${where} has the mode "${columns.modes[position]}"; supported are ${Object.keys(MODES).join(", ")}.`,
  );
  const value = columns.values.values[position];
  if (!(value > -Infinity)) refuseModel(`${where} has the threshold ${value}, not a number.`);
  const whenTrue = numbers.get(columns.whenTrue[position])!;
  const whenFalse = numbers.get(columns.whenFalse[position])!;
  const missingIsTrue = (columns.tracksTrue[position] ?? 0) !== 0;
  return {
    kind: "split",
    feature: columns.features[position],
    threshold: leastValue(cast, mode.next ? "above" : "at least", value),
    left: mode.trueIsRight ? whenFalse : whenTrue,
    right: mode.trueIsRight ? whenTrue : whenFalse,
    missing: missingIsTrue === mode.trueIsRight ? "right" : "left",
  };
}
