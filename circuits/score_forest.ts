/** A forest as the lookups of mode `score`, and the bits that they read. */
import { SottoError } from "../errors.ts";
import { thresholds as sortedThresholds } from "../models/rows.ts";
import type { ForestModel } from "../models/types.ts";
import { Columns, requireSameOutputs } from "./compile_forest.ts";
import type { ScoreDescription } from "./description.ts";
import { type MissingCode, missingCodes } from "./missing_codes.ts";
import { coverTree } from "./score_cover.ts";
import { type BaseLookup, type CoveredTree, type GroupLookup, lookupsOf } from "./score_lookups.ts";
import { constantTotal, withoutLast } from "./score_remainder.ts";
import { shareLookups } from "./score_shelves.ts";
import { type ScoreNode, scoreTree } from "./score_tree.ts";

/** Lookups of one row: their tables take 16 KiB each, and a row that needs more takes minutes. */
const LOOKUPS_MAX = 16384;
/** Splits of a forest: what covers them takes a tenth of a millisecond each. */
const SPLITS_MAX = 100_000;

export interface ScoreForest {
  readonly features: ScoreDescription["features"];
  readonly columns: Columns;
  readonly bases: readonly BaseLookup[];
  readonly groups: readonly GroupLookup[];
  /** One a score: the sum of what was taken off the leaf values. */
  readonly offsets: readonly number[];
  /** One a score: the sum over trees of the largest |leaf value - offset|. */
  readonly spans: readonly number[];
  /** The last score is what the others leave of a constant sum: it has no lookups, and its sum is minus all others'. */
  readonly remainder: boolean;
}

/**
 * Covers the trees with lookups.
 * @throws SottoError `model_refused` for no trees, trees that differ in outputs, too many splits or lookups
 */
export function scoreForest(model: ForestModel): ScoreForest {
  requireSameOutputs(model);
  requireSmall(model);
  const thresholds = sortedThresholds(model);
  const indices = thresholds.map((list) => new Map(list.map((threshold, i) => [threshold, i])));
  const codes = missingCodes(model, indices);
  const total = constantTotal(model);
  const wanted = total === undefined ? model.trees : model.trees.map(withoutLast);
  const trees = wanted.map((tree) => covered(scoreTree(tree, indices, codes), tree.outputs, codes));
  const { bases, groups } = lookupsOf(trees, codes);
  const shared = shareLookups(groups, codes);
  requireFew(bases.length + shared.reduce((sum, { outputs }) => sum + outputs.length, 0));
  const forms = [...bases, ...shared].map(({ form }) => form);
  const columns = new Columns([forms], thresholds, codes);
  return {
    features: model.features.map(({ name, cast, missing }, f) => ({ name, cast, missing, ...columns.of(f) })),
    columns,
    bases,
    groups: shared,
    ...rangesOf(model, trees, total),
    remainder: total !== undefined,
  };
}

/** Offsets and spans of the scores; `total` is the sum of all scores where it is constant. */
function rangesOf(
  model: ForestModel,
  trees: readonly CoveredTree[],
  total: number | undefined,
): Pick<ScoreForest, "offsets" | "spans"> {
  const offsets = sumOver(model, trees, ({ offsets }) => offsets);
  const spans = sumOver(model, trees, spansOf);
  if (total === undefined) return { offsets, spans };
  const others = offsets.reduce((sum, offset) => sum + offset, 0);
  const span = trees.reduce((sum, tree) => sum + remainderSpan(tree), 0);
  return { offsets: offsets.with(-1, total - others), spans: spans.with(-1, span) };
}

/** The largest |sum of the values of a leaf| over the offsets. */
function remainderSpan({ nodes, offsets }: CoveredTree): number {
  return leavesOf(nodes).reduce((most, values) => {
    return Math.max(most, Math.abs(values.reduce((sum, value, i) => sum + value - offsets[i], 0)));
  }, 0);
}

/** Leaf values count from the middle of their range, or from the most frequent leaf if that saves lookups. */
function covered(nodes: readonly ScoreNode[], outputs: readonly number[], codes: readonly MissingCode[]): CoveredTree {
  const leaves = leavesOf(nodes);
  const [middle, frequent] = [middleOf(leaves), mostFrequent(leaves)].map((offsets) => {
    const lookups = (values: readonly number[]) => values.filter((value, i) => value !== offsets[i]).length;
    return { nodes, outputs, offsets, cover: coverTree(nodes, codes, lookups, outputs.length) };
  });
  return frequent.cover.lookups < middle.cover.lookups ? frequent : middle;
}

function leavesOf(nodes: readonly ScoreNode[]): (readonly number[])[] {
  return nodes.filter((node) => node.kind === "leaf").map(({ values }) => values);
}

function middleOf(leaves: readonly (readonly number[])[]): number[] {
  return leaves[0].map((_, i) => {
    const [least, most] = rangeOf(leaves, i);
    return least === most ? least : least / 2 + most / 2;
  });
}

function rangeOf(leaves: readonly (readonly number[])[], i: number): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const values of leaves) [least, most] = [Math.min(least, values[i]), Math.max(most, values[i])];
  return [least, most];
}

function mostFrequent(leaves: readonly (readonly number[])[]): readonly number[] {
  const counts = new Map<string, number>();
  let chosen = leaves[0];
  for (const values of leaves) {
    const key = values.join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (counts.get(key)! > counts.get(chosen.join())!) chosen = values;
  }
  return chosen;
}

function spansOf({ nodes, offsets }: CoveredTree): number[] {
  const leaves = leavesOf(nodes);
  return offsets.map((offset, i) => Math.max(...rangeOf(leaves, i).map((end) => Math.abs(end - offset))));
}

function sumOver(model: ForestModel, trees: readonly CoveredTree[], of: (tree: CoveredTree) => readonly number[]) {
  const sums = model.output.base.map(() => 0);
  for (const tree of trees) {
    const values = of(tree);
    tree.outputs.forEach((score, i) => sums[score] += values[i]);
  }
  return sums;
}

function requireSmall({ trees }: ForestModel): void {
  const splits = trees.reduce((sum, { nodes }) => sum + (nodes.length - 1) / 2, 0);
  if (splits <= SPLITS_MAX) return;
  throw new SottoError(
    "model_refused",
    `the trees have ${splits} splits, mode score takes ${SPLITS_MAX}: use mode leaves, or fewer or smaller trees`,
  );
}

function requireFew(lookups: number): void {
  if (lookups <= LOOKUPS_MAX) return;
  throw new SottoError(
    "model_refused",
    `mode score would take ${lookups} lookups a row, the limit is ${LOOKUPS_MAX}: use mode leaves, or fewer or smaller trees`,
  );
}
