/** Folding a Scaler into tree thresholds, exactly. */
import { type Cast, castTo, fromOrder, LARGEST, toOrder } from "./float.ts";
import type { Scaler } from "./onnx_graph.ts";
import type { RawForest, RawNode } from "./onnx_trees.ts";
import { place, refuseModel } from "./refuse.ts";

/**
 * The same forest on unscaled features: (x - offset) * scale is monotone in x for a positive scale, also with its rounding,
 * so a threshold on it is a threshold on x.
 * @throws SottoError `model_refused` for a scale that is not positive
 */
export function foldScaler(forest: RawForest, { offset, scale }: Scaler): RawForest {
  const at = (list: readonly number[], index: number, absent: number) =>
    list.length === 1 ? list[0] : list[index] ?? absent;
  const fold = (node: RawNode, where: string): RawNode => {
    if (node.kind === "leaf") return node;
    const factor = at(scale, node.feature, 1);
    if (!(factor > 0)) {
      refuseModel(`${where} splits on a feature that a Scaler multiplies by ${factor}; it must be positive.`);
    }
    if (node.threshold === LARGEST[forest.cast]) return node;
    const scaled = (x: number) => castTo(forest.cast, castTo(forest.cast, x - at(offset, node.feature, 0)) * factor);
    return { ...node, threshold: least(forest.cast, (x) => scaled(x) >= node.threshold, where) };
  };
  const trees = forest.trees.map((tree, index) => ({
    nodes: tree.nodes.map((node, number) => fold(node, place(index, number))),
  }));
  return { ...forest, trees };
}

/** The least finite value of the precision at which a monotone predicate holds. */
function least(cast: Cast, holds: (x: number) => boolean, where: string): number {
  let [low, high] = [toOrder(cast, -LARGEST[cast]), toOrder(cast, LARGEST[cast])];
  if (!holds(fromOrder(cast, high))) refuseModel(`${where} has a threshold that no scaled value reaches.`);
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (holds(fromOrder(cast, middle))) high = middle;
    else low = middle + 1n;
  }
  return fromOrder(cast, low);
}
