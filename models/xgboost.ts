/** Importer of XGBoost models saved as JSON (1.6 and later). Source: XGBoost's "Introduction to Model IO" and its schema. */
import type { z } from "@hono/zod-openapi";
import { checkModel, checkWidth } from "./check.ts";
import { decoding, place, refuseFile, refuseModel } from "./refuse.ts";
import type { Feature, ForestModel, Node, Output, Tree } from "./types.ts";
import { outputOf } from "./xgboost_objective.ts";
import {
  dartSchema,
  fileSchema,
  gbtreeSchema,
  type XgboostFile,
  type XgboostForest,
  type XgboostTree,
} from "./xgboost_schema.ts";

/** The feature number of a node that pruning deleted. */
const DELETED = 0x7fffffff;

/**
 * Reads an XGBoost JSON model; an early-stopped one up to its best iteration, as the library predicts.
 * @throws SottoError `malformed_file`, `model_refused`
 */
export function importXgboost(bytes: Uint8Array): ForestModel {
  const file = parse(fileSchema, parseJson(bytes), "");
  const { learner } = file;
  const featureCount = learner.learner_model_param.num_feature;
  checkWidth("features", featureCount);
  if ((learner.learner_model_param.num_target ?? 1) > 1) {
    refuseModel("Models of several targets are not supported; train one model a target.");
  }
  const classCount = learner.learner_model_param.num_class ?? 0;
  if (classCount > 0) checkWidth("scores", classCount);
  const output = outputOf(learner.objective.name, baseScores(file), classCount);
  const { forest, weights } = forestOf(learner.gradient_booster);
  return checkModel({
    kind: "forest",
    source: { format: "xgboost", version: file.version.join("."), objective: learner.objective.name },
    features: featuresOf(learner.feature_names ?? [], featureCount),
    trees: treesOf(forest, weights, bestIteration(file), output),
    output,
  });
}

function parseJson(bytes: Uint8Array): unknown {
  // A universal binary JSON object: "{" and then the length of a key, where JSON has a quote or white space.
  if (bytes[0] === 0x7b && ["L", "l", "i", "I", "U", "u"].includes(String.fromCharCode(bytes[1]))) {
    refuseFile('This is an XGBoost UBJ file; save the model with save_model("model.json").');
  }
  const what = 'an XGBoost JSON model (save it with save_model("model.json"))';
  return decoding(what, () => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
}

function parse<S extends z.ZodType>(schema: S, value: unknown, prefix: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  const where = prefix + path.map(String).join(".");
  return refuseFile(`This is not an XGBoost JSON model: at "${where}": ${message}.`, result.error);
}

function baseScores(file: XgboostFile): number[] {
  const base = file.learner.learner_model_param.base_score;
  const texts = String(base).replace(/^\[|\]$/g, "").split(",");
  const scores = texts.map((text) => text.trim() === "" ? NaN : Math.fround(Number(text)));
  if (!scores.every(Number.isFinite)) refuseModel("The file's base_score is not a finite number or a list of them.");
  return scores;
}

/** The trees of the booster, and the weight of each (1 without dropout). */
function forestOf(booster: XgboostFile["learner"]["gradient_booster"]): { forest: XgboostForest; weights?: number[] } {
  const where = "learner.gradient_booster.";
  switch (booster.name) {
    case "gbtree":
      return { forest: parse(gbtreeSchema, booster, where).model };
    case "dart": {
      const { gbtree, weight_drop } = parse(dartSchema, booster, where);
      if (weight_drop.length !== gbtree.model.trees.length) {
        refuseModel("The file's weight_drop has not one weight a tree.");
      }
      return { forest: gbtree.model, weights: weight_drop };
    }
    default:
      return refuseModel(`The booster "${booster.name}" is not supported; train with gbtree or dart.`);
  }
}

function bestIteration(file: XgboostFile): number | undefined {
  const best = file.learner.attributes?.best_iteration;
  if (best === undefined) return undefined;
  const iteration = Number(best);
  if (!Number.isInteger(iteration) || iteration < 0) refuseModel("The attribute best_iteration is not a whole number.");
  return iteration;
}

function treesOf(
  forest: XgboostForest,
  weights: number[] | undefined,
  best: number | undefined,
  output: Output,
): Tree[] {
  if (forest.tree_info.length !== forest.trees.length) refuseModel("The file's tree_info has not one entry a tree.");
  const count = treeCount(forest, best, output.base.length);
  return forest.trees.slice(0, count).map((tree, index) =>
    treeOf(tree, index, forest.tree_info[index], weights?.[index] ?? 1)
  );
}

/** Trees that predictions use. */
function treeCount(forest: XgboostForest, best: number | undefined, scoreCount: number): number {
  if (best === undefined) return forest.trees.length;
  const count = forest.iteration_indptr?.[best + 1] ??
    (best + 1) * scoreCount * (forest.gbtree_model_param.num_parallel_tree || 1);
  if (count < 0 || count > forest.trees.length) {
    refuseModel("The attribute best_iteration names trees that are not there.");
  }
  return count;
}

function treeOf(tree: XgboostTree, index: number, output: number, weight: number): Tree {
  const count = tree.left_children.length;
  const columns = [tree.right_children, tree.split_indices, tree.split_conditions, tree.default_left];
  if (columns.some((column) => column.length !== count)) refuseModel(`Tree ${index} has columns of different lengths.`);
  if ((tree.tree_param.size_leaf_vector ?? 0) > 1) {
    refuseModel(`Tree ${index} has vector leaves (multi_output_tree); train with one_output_per_tree.`);
  }
  const categorical = tree.split_type?.findIndex((type) => type !== 0) ?? -1;
  if (categorical >= 0 || (tree.categories_nodes?.length ?? 0) > 0) {
    refuseModel(
      `${
        place(index, categorical >= 0 ? categorical : tree.categories_nodes![0])
      } is a categorical split; encode categories as numbers.`,
    );
  }
  const nodes = tree.left_children.map((_, at) => nodeOf(tree, at, weight));
  return { outputs: [output], nodes: (tree.tree_param.num_deleted ?? 0) > 0 ? withoutDeleted(tree, nodes) : nodes };
}

/** XGBoost goes left exactly when x < split_condition, both in single precision. */
function nodeOf(tree: XgboostTree, at: number, weight: number): Node {
  const value = Math.fround(tree.split_conditions[at]);
  if (tree.left_children[at] === -1) {
    return { kind: "leaf", values: [weight === 1 ? value : value * Math.fround(weight)] };
  }
  return {
    kind: "split",
    feature: tree.split_indices[at],
    threshold: value + 0,
    left: tree.left_children[at],
    right: tree.right_children[at],
    missing: tree.default_left[at] ? "left" : "right",
  };
}

/** Pruned trees keep deleted nodes in their columns; they are dropped and the rest renumbered. */
function withoutDeleted(tree: XgboostTree, nodes: Node[]): Node[] {
  const kept = nodes.map((_, at) => tree.split_indices[at] !== DELETED);
  let next = 0;
  const renumbered = kept.map((keep) => keep ? next++ : -1);
  const child = (at: number) => renumbered[at] ?? -1;
  return nodes.filter((_, at) => kept[at]).map((node) =>
    node.kind === "leaf" ? node : { ...node, left: child(node.left), right: child(node.right) }
  );
}

function featuresOf(names: readonly string[], count: number): Feature[] {
  if (names.length !== 0 && names.length !== count) refuseModel(`The file names ${names.length} of ${count} features.`);
  return Array.from(
    { length: count },
    (_, index) => ({ name: names[index] ?? `f${index}`, cast: "float32", missing: "nan" }),
  );
}
