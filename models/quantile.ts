/** Moving thresholds to a grid, for models whose own thresholds must stay secret. */
import { checkModel } from "./check.ts";
import { castTo, LARGEST } from "./float.ts";
import { refuseModel } from "./refuse.ts";
import type { Model, Node } from "./types.ts";

/**
 * Moves every threshold to the nearest edge of its feature, the lower one on ties; one that stands for infinity stays.
 * @param edges one sorted list a feature; a feature without splits may have an empty one
 * @throws SottoError `model_refused` for edges that do not fit the model
 */
export function moveThresholds(model: Model, edges: readonly (readonly number[])[]): Model {
  if (model.kind === "linear") refuseModel("A linear model has no thresholds to move; import it with bins=model.");
  if (edges.length !== model.features.length) {
    refuseModel(
      `There are edges for ${edges.length} features and the model has ${model.features.length}; give one list each.`,
    );
  }
  const grids = edges.map((list, feature) => grid(list, model.features[feature]));
  const move = (node: Node): Node => {
    if (node.kind === "leaf" || node.threshold === LARGEST[model.features[node.feature].cast]) return node;
    if (grids[node.feature].length === 0) {
      refuseModel(
        `Feature "${model.features[node.feature].name}" is used by the model and has no edges; give at least one.`,
      );
    }
    return { ...node, threshold: nearest(grids[node.feature], node.threshold) };
  };
  return checkModel({ ...model, trees: model.trees.map((tree) => ({ ...tree, nodes: tree.nodes.map(move) })) });
}

function grid(list: readonly number[], feature: Model["features"][number]): number[] {
  const edges = list.map((edge) => castTo(feature.cast, edge) + 0);
  if (edges.some((edge, index) => !Number.isFinite(edge) || (index > 0 && edge < edges[index - 1]))) {
    refuseModel(`The edges of feature "${feature.name}" are not sorted finite numbers; sort them.`);
  }
  return edges;
}

function nearest(edges: readonly number[], threshold: number): number {
  let [low, high] = [0, edges.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] < threshold) low = middle + 1;
    else high = middle;
  }
  const below = edges[Math.max(0, low - 1)];
  return Math.abs(threshold - below) <= Math.abs(edges[low] - threshold) ? below : edges[low];
}
