/** Direct evaluation of a model in clear: the reference that circuits are checked against. */
import { finish } from "./output.ts";
import { castRow, type Cell } from "./rows.ts";
import type { ForestModel, LinearModel, Model, Output, Prediction, Row, Tree } from "./types.ts";

/** Summed scores of one row, before the output's base and transform. */
export interface Evaluation {
  readonly margins: number[];
}

/**
 * Runs a model on one row.
 * @throws SottoError `rows_refused` for a row that the model cannot take
 */
export function evaluate(model: Model, row: Row): Evaluation {
  const cells = castRow(model.features, row);
  return { margins: model.kind === "forest" ? evaluateForest(model, cells) : evaluateLinear(model, cells) };
}

/** Base, transform and label choice of a model (or of its output alone) for summed scores. */
export function predict(source: Model | Output, margins: ArrayLike<number>): Prediction {
  return finish("kind" in source ? source.output : source, margins);
}

/** The node that a row reaches in a tree. */
export function reach(tree: Tree, cells: readonly Cell[]): number {
  let index = 0;
  for (;;) {
    const node = tree.nodes[index];
    if (node.kind === "leaf") return index;
    const cell = cells[node.feature];
    const right = cell.missing ? node.missing === "right" : cell.value >= node.threshold;
    index = right ? node.right : node.left;
  }
}

function evaluateForest(model: ForestModel, cells: readonly Cell[]): number[] {
  const margins = model.output.base.map(() => 0);
  for (const tree of model.trees) {
    const leaf = tree.nodes[reach(tree, cells)];
    if (leaf.kind === "leaf") tree.outputs.forEach((output, index) => margins[output] += leaf.values[index]);
  }
  return margins;
}

function evaluateLinear(model: LinearModel, cells: readonly Cell[]): number[] {
  return model.weights.map((weights, score) =>
    cells.reduce((sum, cell, column) => sum + weights[column] * cell.value, model.bias[score])
  );
}
