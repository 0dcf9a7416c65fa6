/** Random models and rows for the tests of this folder. */
import fc from "fast-check";
import type { Feature, ForestModel, LinearModel, Node, Output, Tree } from "../models/types.ts";

/** A number in [0, 1) from a seed; for tests only. */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x45d9f3b) >>> 0;
    return ((word ^ (word >>> 16)) >>> 0) / 2 ** 32;
  };
}

const MISSING: Feature["missing"][] = ["nan", "zero", "as_zero", "refused"];

/** Thresholds and values come from one small grid, so that bounds contradict, repeat and are met exactly. */
const grid = (draw: () => number) => Math.floor(draw() * 7) - 3;

function randomTree(draw: () => number, featureCount: number, outputs: number[], depth: number, agree: boolean): Tree {
  const nodes: Node[] = [];
  const grow = (left: number): number => {
    const index = nodes.push({ kind: "leaf", values: outputs.map(() => draw() * 4 - 2) }) - 1;
    if (left > 0 && draw() < 0.85) {
      const split = { feature: Math.floor(draw() * featureCount), threshold: grid(draw) };
      const missingLeft = agree ? Math.abs(split.threshold) % 2 === 0 : draw() < 0.5;
      nodes[index] = {
        kind: "split",
        ...split,
        missing: missingLeft ? "left" : "right",
        left: grow(left - 1),
        right: grow(left - 1),
      };
    }
    return index;
  };
  grow(depth);
  return { outputs, nodes };
}

export function output(scores: number, transform: Output["transform"] = "identity"): Output {
  return {
    task: scores === 1 ? "regression" : "multiclass",
    transform,
    base: new Array(scores).fill(0),
    labels: [],
    threshold: 0,
  };
}

export const source = { format: "xgboost", version: "test", objective: "test" } as const;

export interface ForestShape {
  readonly seed: number;
  readonly features: number;
  readonly trees: number;
  readonly depth: number;
  readonly scores: number;
  /** Every tree adds to all scores, or tree t to score t mod scores. */
  readonly vectorLeaves: boolean;
  /** All splits at one threshold send missing values to one side. */
  readonly agree: boolean;
}

export function randomForest(shape: ForestShape): ForestModel {
  const draw = draws(shape.seed);
  const all = Array.from({ length: shape.scores }, (_, score) => score);
  return {
    kind: "forest",
    source,
    features: Array.from({ length: shape.features }, (_, f) => ({
      name: `f${f}`,
      cast: draw() < 0.5 ? "float32" : "float64",
      missing: MISSING[Math.floor(draw() * 4)],
    })),
    trees: Array.from({ length: shape.trees }, (_, t) => {
      const outputs = shape.vectorLeaves ? all : [t % shape.scores];
      return randomTree(draw, shape.features, outputs, shape.depth, shape.agree);
    }),
    output: output(shape.scores, shape.scores === 1 ? "logistic" : "softmax"),
  };
}

/** Rows on the grid, between its points, and missing where the feature allows it. */
export function randomGridRows(model: ForestModel, count: number, seed: number): number[][] {
  const draw = draws(seed);
  return Array.from({ length: count }, () =>
    model.features.map((feature) => {
      if (feature.missing !== "refused" && draw() < 0.3) return NaN;
      return grid(draw) + (draw() < 0.5 ? 0 : draw() - 0.5);
    }));
}

export const forestShapes: fc.Arbitrary<ForestShape> = fc.record({
  seed: fc.nat(),
  features: fc.integer({ min: 1, max: 4 }),
  trees: fc.integer({ min: 1, max: 5 }),
  depth: fc.integer({ min: 0, max: 6 }),
  scores: fc.integer({ min: 1, max: 3 }),
  vectorLeaves: fc.boolean(),
  agree: fc.boolean(),
}, { noNullPrototype: true });

export function randomLinear(seed: number, features: number, scores: number): LinearModel {
  const draw = draws(seed);
  const weight = () => draw() < 0.1 ? 0 : (draw() - 0.5) * 2 ** Math.floor(draw() * 30 - 15);
  return {
    kind: "linear",
    source,
    features: Array.from({ length: features }, (_, f) => ({ name: `f${f}`, cast: "float64", missing: "refused" })),
    weights: Array.from({ length: scores }, () => Array.from({ length: features }, weight)),
    bias: Array.from({ length: scores }, weight),
    output: output(scores),
  };
}
