/** Importer of LightGBM text models (version v3 and v4). Source: LightGBM's `Tree` serialisation and its parameters page. */
import { checkModel, checkWidth } from "./check.ts";
import { leastValue } from "./float.ts";
import { outputOf } from "./lightgbm_objective.ts";
import { type Block, countOf, numbersOf, readLightgbmText, textOf } from "./lightgbm_text.ts";
import { decoding, place, refuseModel } from "./refuse.ts";
import type { Feature, ForestModel, Node, Split, Tree } from "./types.ts";

/** Bits of a node's decision_type: 1 categorical, 2 default left, 4 and 8 the missing type. */
const CATEGORICAL = 1;
const DEFAULT_LEFT = 2;
const MISSING_TYPES = ["as_zero", "zero", "nan"] as const;

type MissingOf = (Feature["missing"] | undefined)[];

/**
 * Reads a LightGBM text model (`save_model`).
 * @throws SottoError `malformed_file`, `model_refused`
 */
export function importLightgbm(bytes: Uint8Array): ForestModel {
  const text = decoding("a LightGBM text model", () => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  const { header, trees } = readLightgbmText(text);
  const featureCount = countOf(header, "max_feature_idx", "the header") + 1;
  const scoreCount = countOf(header, "num_tree_per_iteration", "the header");
  checkWidth("features", featureCount);
  checkWidth("scores", scoreCount);
  const objective = header.get("objective") ??
    refuseModel("The file names no objective (a custom one was used); train with a built-in objective.");
  const { output, factor } = outputOf(objective, scoreCount);
  // Random forests: the average over iterations.
  const divisor = header.has("average_output") ? trees.length / scoreCount : 1;
  const missing: MissingOf = Array.from({ length: featureCount });
  const imported = trees.map((block, index) => treeOf(block, index, index % scoreCount, factor / divisor, missing));
  return checkModel({
    kind: "forest",
    source: { format: "lightgbm", version: header.get("version") ?? "unknown", objective },
    features: featuresOf(header, featureCount, missing),
    trees: imported,
    output,
  });
}

function treeOf(block: Block, index: number, output: number, factor: number, missing: MissingOf): Tree {
  const where = `tree ${index}`;
  if ((block.get("is_linear") ?? "0") !== "0") {
    refuseModel(`Tree ${index} has linear leaves; train with linear_tree=false.`);
  }
  if (countOf(block, "num_cat", where) > 0) {
    refuseModel(`Tree ${index} has categorical splits; encode categories as numbers.`);
  }
  const leafCount = countOf(block, "num_leaves", where);
  if (leafCount === 0) refuseModel(`Tree ${index} is empty; every tree needs a leaf.`);
  const leaves = numbersOf(block, "leaf_value", leafCount, where);
  const splits = leafCount === 1 ? [] : splitsOf(block, index, leafCount - 1, missing);
  return {
    outputs: [output],
    nodes: [...splits, ...leaves.map((value): Node => ({ kind: "leaf", values: [value * factor] }))],
  };
}

/** LightGBM goes left exactly when x <= threshold, in double precision. */
function splitsOf(block: Block, index: number, count: number, missing: MissingOf): Split[] {
  const column = (key: string) => numbersOf(block, key, count, `tree ${index}`);
  const [features, limits, decisions] = [column("split_feature"), column("threshold"), column("decision_type")];
  const [lefts, rights] = [column("left_child"), column("right_child")];
  // A child is the number of a split, or -1 - the number of a leaf; leaves follow the splits here.
  const child = (code: number) => code < 0 ? count - 1 - code : code < count ? code : -1;
  return features.map((feature, at) => {
    readDecision(decisions[at], feature, missing, place(index, at));
    if (!(limits[at] > -Infinity)) refuseModel(`${place(index, at)} has the threshold ${limits[at]}, not a number.`);
    return {
      kind: "split",
      feature,
      threshold: leastValue("float64", "above", limits[at]),
      left: child(lefts[at]),
      right: child(rights[at]),
      missing: decisions[at] & DEFAULT_LEFT ? "left" : "right",
    };
  });
}

/** Records the feature's missing type, which all its nodes must share. */
function readDecision(decision: number, feature: number, missing: MissingOf, where: string): void {
  if (decision & CATEGORICAL) refuseModel(`${where} is a categorical split; encode categories as numbers.`);
  const type = MISSING_TYPES[decision >> 2] ?? refuseModel(`${where} has the unknown decision type ${decision}.`);
  if (!(feature in missing)) refuseModel(`${where} splits on feature ${feature}, which the model does not have.`);
  const known = missing[feature] ??= type;
  if (known !== type) refuseModel(`${where} treats missing values of feature ${feature} unlike other nodes do.`);
}

function featuresOf(header: Block, count: number, missing: MissingOf): Feature[] {
  const names = textOf(header, "feature_names", "the header").split(" ");
  if (names.length !== count) refuseModel(`The file names ${names.length} of ${count} features.`);
  return names.map((name, index) => ({ name, cast: "float64", missing: missing[index] ?? "as_zero" }));
}
