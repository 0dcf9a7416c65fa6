/** From the trees of an ONNX ensemble to a forest with its output. */
import { checkWidth } from "./check.ts";
import { LEAF_VALUES_MAX } from "./limits.ts";
import type { OnnxPlan } from "./onnx_graph.ts";
import {
  binaryOutput,
  checkLabels,
  HALF_OF_SUM,
  multiclassOutput,
  postTransformOf,
  regressionOutput,
} from "./onnx_output.ts";
import { foldScaler } from "./onnx_scaler.ts";
import { type Addend, type RawForest, type RawTree, readTrees } from "./onnx_trees.ts";
import { refuseModel } from "./refuse.ts";
import type { ForestModel, Tree } from "./types.ts";

export interface ForestParts extends Pick<ForestModel, "trees" | "output"> {
  readonly takesMissing: boolean;
  readonly cast: RawForest["cast"];
}

export function readForest(plan: OnnxPlan): ForestParts {
  const { core, normalised, scalers, cast } = plan;
  const classifier = plan.operator === "TreeEnsembleClassifier";
  const raw = readTrees(core, classifier ? "class" : "target", cast);
  const forest = scalers.reduceRight(foldScaler, raw);
  if (normalised) refuseModel(`${core.label} is followed by a Normalizer, which is not supported.`);
  const parts = classifier ? classify(plan, forest) : regress(plan, forest);
  return { ...parts, takesMissing: forest.takesMissing, cast: forest.cast };
}

function regress({ core }: OnnxPlan, forest: RawForest): Pick<ForestModel, "trees" | "output"> {
  const targets = core.int("n_targets", 1);
  if (targets !== 1) refuseModel(`${core.label} has ${targets} targets; export one model a target.`);
  const aggregate = core.string("aggregate_function", "SUM");
  if (aggregate !== "SUM" && aggregate !== "AVERAGE") {
    refuseModel(`${core.label} aggregates by ${aggregate}; supported are SUM and AVERAGE.`);
  }
  const factor = aggregate === "AVERAGE" ? 1 / forest.trees.length : 1;
  const base = core.numbers("base_values").values;
  if (base.length > 1) refuseModel(`${core.label} has ${base.length} base values for one target.`);
  const post = postTransformOf(core.string("post_transform", "NONE"), core.label);
  const trees = forest.trees.map((tree) => laidOut(tree, [0], (values) => [values[0] * factor], 1));
  return { trees, output: regressionOutput(post, base[0] ?? 0, core.label) };
}

function classify({ core }: OnnxPlan, forest: RawForest): Pick<ForestModel, "trees" | "output"> {
  const labels = core.labels("classlabels_int64s", "classlabels_strings");
  checkLabels(labels, core.label);
  checkWidth("classes", labels.length);
  const post = postTransformOf(core.string("post_transform", "NONE"), core.label);
  const base = core.numbers("base_values").values;
  const binary = labels.length === 2 ? binaryForest(forest, labels, post, base) : undefined;
  if (binary) return binary;
  if (base.length !== 0 && base.length !== labels.length) {
    refuseModel(`${core.label} has ${base.length} base values for ${labels.length} labels.`);
  }
  const bases = labels.map((_, index) => base[index] ?? 0);
  return {
    trees: multiclassTrees(forest, labels.length),
    output: multiclassOutput(labels, post, bases, false, core.label),
  };
}

type Parts = Pick<ForestModel, "trees" | "output">;

/** Two labels decided by one score, where the file allows it. */
function binaryForest(
  forest: RawForest,
  labels: readonly (string | number)[],
  post: "NONE" | "LOGISTIC" | "SOFTMAX",
  base: readonly number[],
): Parts | undefined {
  const all = forest.trees.flatMap((tree) => tree.nodes).flatMap((node) => node.kind === "leaf" ? [node] : []);
  const ids = new Set<number>();
  let negative = false;
  for (const leaf of all) {
    for (const addend of leaf.addends) {
      ids.add(addend.output);
      negative ||= addend.weight < 0;
    }
  }
  if (base.length > 2) return undefined;
  if (ids.size <= 1) {
    // One score: the positive label's; a probability when no weight is negative, otherwise a margin.
    const trees = forest.trees.map((tree) => laidOut(tree, [0], ([zero, one]) => [zero + one], 2));
    const threshold = post === "LOGISTIC" ? 0.5 : negative ? 0 : HALF_OF_SUM;
    const transform = post === "LOGISTIC" ? "logistic" : "identity";
    if (post === "SOFTMAX") return undefined;
    return { trees, output: binaryOutput(labels, transform, threshold, base[base.length - 1] ?? 0) };
  }
  const [baseZero, baseOne] = [base.length === 2 ? base[0] : 0, base.length === 2 ? base[1] : 0];
  if (base.length === 1) return undefined;
  if (post === "SOFTMAX") {
    const trees = forest.trees.map((tree) => laidOut(tree, [0], ([zero, one]) => [one - zero], 2));
    return { trees, output: binaryOutput(labels, "logistic", 0.5, baseOne - baseZero) };
  }
  if (post === "LOGISTIC" || !sumsToOne(forest, baseZero + baseOne)) return undefined;
  const trees = forest.trees.map((tree) => laidOut(tree, [0], ([, one]) => [one], 2));
  return { trees, output: binaryOutput(labels, "identity", HALF_OF_SUM, baseOne) };
}

/** Whether both scores of every row sum to one, so that one of them is redundant. */
function sumsToOne(forest: RawForest, base: number): boolean {
  let total = base;
  for (const tree of forest.trees) {
    const sums = tree.nodes.flatMap((node) =>
      node.kind === "leaf" ? [node.addends.reduce((sum, a) => sum + a.weight, 0)] : []
    );
    if (sums.some((sum) => Math.abs(sum - sums[0]) > 1e-6)) return false;
    total += sums[0];
  }
  return Math.abs(total - 1) < 1e-4;
}

/** Boosted trees add to one class each; forests of class probabilities to all classes. */
function multiclassTrees(forest: RawForest, classCount: number): Tree[] {
  const classes = forest.trees.map(classesOf);
  if (classes.every((set) => set.size <= 1)) {
    return forest.trees.map((tree, index) => {
      const output = [...classes[index]][0] ?? 0;
      return laidOut(tree, [output], (values) => [values[output]], classCount);
    });
  }
  const leafCount = forest.trees.reduce((sum, tree) => sum + tree.nodes.length, 0);
  if (leafCount * classCount > LEAF_VALUES_MAX) refuseModel(`The model has more than ${LEAF_VALUES_MAX} leaf values.`);
  const outputs = Array.from({ length: classCount }, (_, index) => index);
  return forest.trees.map((tree) => laidOut(tree, outputs, (values) => values, classCount));
}

function classesOf(tree: RawTree): Set<number> {
  return new Set(tree.nodes.flatMap((node) => node.kind === "leaf" ? node.addends.map((addend) => addend.output) : []));
}

/** The tree with each leaf's addends laid out by score, then mapped. */
function laidOut(tree: RawTree, outputs: number[], map: (values: number[]) => number[], scoreCount: number): Tree {
  const nodes = tree.nodes.map((node) => {
    return node.kind === "leaf" ? { kind: "leaf" as const, values: map(valuesOf(node.addends, scoreCount)) } : node;
  });
  return { outputs, nodes };
}

function valuesOf(addends: readonly Addend[], scoreCount: number): number[] {
  const values = new Array<number>(scoreCount).fill(0);
  for (const { output, weight } of addends) {
    if (!(output in values)) refuseModel(`A leaf adds to class or target ${output}, and there are ${scoreCount}.`);
    values[output] += weight;
  }
  return values;
}
