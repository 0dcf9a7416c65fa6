/**
 * The lookups of mode `score`: of each an integer form v of bits and bases, in [0, slots), and what the table holds at each v. A group
 * stands at v = state + states * cost: the table holds the leaf's value where the cost is 0, and 0 elsewhere. Or, where the path itself is
 * short, at the state of all decisions from the root on.
 */
import { addUp, type Term } from "./leaf_forms.ts";
import type { MissingCode } from "./missing_codes.ts";
import type { Cover, Group } from "./score_cover.ts";
import { type Decision, stateCount, stateTerms } from "./score_digits.ts";
import { type Base, pathForm, SLOTS } from "./score_paths.ts";
import { splitsAt, stateTargets } from "./score_regions.ts";
import type { ScoreNode, ScoreSplit } from "./score_tree.ts";

/** A term of a base: 1 where its path fails. */
export interface BaseTerm {
  /** Number of the base, over all trees. */
  readonly base: number;
  readonly weight: number;
}

/** An integer form: constant + bits + bases, always in [0, slots). */
export interface SlotForm {
  /** Lookups that must come before. */
  readonly level: number;
  readonly terms: readonly Term[];
  readonly bases: readonly BaseTerm[];
  readonly constant: number;
  readonly slots: number;
}

/** A lookup that turns the condition of a base into a bit: 0 where v = 0, else 1. */
export interface BaseLookup {
  readonly form: SlotForm;
  readonly base: number;
}

/** What lookups of groups have: one for each of its outputs. */
export interface GroupLookup {
  readonly form: SlotForm;
  /** Scores that it adds to. */
  readonly outputs: readonly number[];
  /** For each output the value at each slot. */
  readonly entries: readonly Float64Array[];
}

/** A group as a function of decisions alone. */
export interface Decided {
  /** All from the root on; their states fit a table. */
  readonly decisions: readonly Decision[];
  /** The value of each output. */
  valuesAt(goesRight: (decision: Decision) => boolean): readonly number[];
}

/** A group before it shares a lookup with others: by its cost, and by decisions where that is possible. */
export interface LoneGroup extends GroupLookup {
  readonly decided?: Decided;
}

/** A tree with its cover, its outputs and what was taken off its leaf values. */
export interface CoveredTree {
  readonly nodes: readonly ScoreNode[];
  readonly cover: Cover;
  readonly outputs: readonly number[];
  readonly offsets: readonly number[];
}

/** The lookups of a forest before they share tables. */
export function lookupsOf(
  trees: readonly CoveredTree[],
  codes: readonly MissingCode[],
): { bases: BaseLookup[]; groups: LoneGroup[] } {
  const bases: BaseLookup[] = [];
  const groups: LoneGroup[] = [];
  for (const tree of trees) {
    const numbers = new Map<number, { number: number; level: number }>();
    const form = (root: number, base: Base, states: number) =>
      conditionForm(tree.nodes, root, base, states, numbers, codes);
    for (const { node, base } of tree.cover.bases) {
      const lookup = { form: form(node, base, 1), base: bases.length };
      numbers.set(node, { number: lookup.base, level: lookup.form.level + 1 });
      bases.push(lookup);
    }
    for (const group of tree.cover.groups) {
      const states = group.region?.states ?? 1;
      const lookup = groupLookup(tree, group, form(group.root, group.base, states), codes);
      if (lookup.entries.every((entry) => entry.every((value) => value === 0))) continue;
      const decided = decidedGroup(tree, group, codes);
      groups.push(decided === undefined ? lookup : { ...lookup, decided });
    }
  }
  return { bases, groups };
}

/** states * cost of the path from a base to a node. */
function conditionForm(
  nodes: readonly ScoreNode[],
  root: number,
  base: Base,
  states: number,
  numbers: ReadonlyMap<number, { number: number; level: number }>,
  codes: readonly MissingCode[],
): SlotForm {
  const { terms, constant } = pathForm(nodes, base.node, root, codes);
  const known = numbers.get(base.node);
  return {
    level: known?.level ?? 0,
    terms: scaled(terms, states),
    bases: known === undefined ? [] : [{ base: known.number, weight: states }],
    constant: constant * states,
    slots: states * (1 + base.cost),
  };
}

function groupLookup(
  { nodes, outputs, offsets }: CoveredTree,
  { root, region }: Group,
  condition: SlotForm,
  codes: readonly MissingCode[],
): GroupLookup {
  const targets = region === undefined ? [root] : stateTargets(nodes, region, codes);
  const terms = region === undefined ? [] : stateTerms(splitsAt(nodes, region.splits), codes);
  const entries = outputs.map((_, i) => {
    const entry = new Float64Array(condition.slots);
    targets.forEach((target, state) => {
      const node = nodes[target];
      if (node.kind === "leaf") entry[state] = node.values[i] - offsets[i];
    });
    return entry;
  });
  return { form: { ...condition, terms: addUp([...condition.terms, ...terms]) }, outputs, entries };
}

/** The group as a function of all decisions from the root on, if these have few states. */
function decidedGroup(
  { nodes, outputs, offsets }: CoveredTree,
  { root, base, region }: Group,
  codes: readonly MissingCode[],
): Decided | undefined {
  if (base.node !== 0) return undefined;
  const numbers = new Set(region?.splits);
  for (let at = nodes[root].parent; at >= 0 && numbers.size < SLOTS; at = nodes[at].parent) numbers.add(at);
  const decisions = splitsAt(nodes, [...numbers]);
  if (numbers.size === SLOTS || stateCount(decisions, codes) > SLOTS) return undefined;
  const zeros = outputs.map(() => 0);
  const valuesAt = (goesRight: (decision: Decision) => boolean) => {
    let at = 0, inside = at === root;
    while (numbers.has(at)) {
      const split = nodes[at] as ScoreSplit;
      at = goesRight(split) ? split.right : split.left;
      inside ||= at === root;
    }
    const node = nodes[at];
    return inside && node.kind === "leaf" ? node.values.map((value, i) => value - offsets[i]) : zeros;
  };
  return { decisions, valuesAt };
}

/** Weights of terms times a factor. */
export function scaled<T extends { readonly weight: number }>(terms: readonly T[], factor: number): T[] {
  return terms.map((term) => ({ ...term, weight: term.weight * factor }));
}
