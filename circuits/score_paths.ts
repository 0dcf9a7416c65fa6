/**
 * Conditions of paths in mode `score`. A base is where a path begins: the root, or a node whose own condition an earlier lookup has
 * turned into one bit, which then counts as one literal.
 */
import { type Bounds, costForm, type Term } from "./leaf_forms.ts";
import { MISSING } from "./leaf_forms.ts";
import type { MissingCode } from "./missing_codes.ts";
import { follow, isRight, type ScoreNode, type ScoreSplit } from "./score_tree.ts";

/** Slots of a table: half a slot is 2^-6 of the torus. */
export const SLOTS = 16;

/** Ancestors that are tried as bases. */
const REACH = 24;

export interface Base {
  readonly node: number;
  /** Largest cost of the path from the base, with the base's own bit. */
  readonly cost: number;
}

/** The bases of a node whose paths fit a table, itself first. */
export function basesOf(nodes: readonly ScoreNode[], at: number, codes: readonly MissingCode[]): Base[] {
  const costs = new Map<number, number>();
  const path = new Map<number, Bounds>();
  const bases: Base[] = [];
  let total = 0;
  for (let base = at; bases.length <= REACH; base = nodes[base].parent) {
    const cost = total + (base === 0 ? 0 : 1);
    if (total >= SLOTS || (base === 0 && cost >= SLOTS)) break;
    if (cost < SLOTS) bases.push({ node: base, cost });
    if (base === 0) break;
    const { feature } = nodes[nodes[base].parent] as ScoreSplit;
    step(nodes, base, path);
    const most = largestCost(path, feature, codes);
    total += most - (costs.get(feature) ?? 0);
    costs.set(feature, most);
  }
  return bases;
}

/** The cost form of the path from a base to a node below it. */
export function pathForm(
  nodes: readonly ScoreNode[],
  base: number,
  at: number,
  codes: readonly MissingCode[],
): { readonly terms: readonly Term[]; readonly constant: number } {
  const path = new Map<number, Bounds>();
  for (let node = at; node !== base; node = nodes[node].parent) step(nodes, node, path);
  return costForm(path, codes);
}

/** Adds the literal by which a node is reached from its parent. */
function step(nodes: readonly ScoreNode[], at: number, path: Map<number, Bounds>): void {
  const parent = nodes[nodes[at].parent] as ScoreSplit;
  path.set(parent.feature, follow(path.get(parent.feature) ?? {}, parent, isRight(nodes, at)));
}

/** The largest cost of one feature's literals over all its cells: below, between and above the thresholds, and missing. */
function largestCost(path: ReadonlyMap<number, Bounds>, feature: number, codes: readonly MissingCode[]): number {
  const code = codes[feature];
  const { terms, constant } = costForm(new Map([[feature, path.get(feature)!]]), codes);
  let value = constant, most = constant;
  for (const { weight } of terms.filter(isThreshold).sort((a, b) => a.threshold - b.threshold)) {
    value += weight;
    most = Math.max(most, value);
  }
  if (code.kind === "never") return most;
  const set = ({ threshold }: Term) => threshold === MISSING || (code.kind === "pattern" && code.ones[threshold]);
  return Math.max(most, terms.filter(set).reduce((sum, { weight }) => sum + weight, constant));
}

function isThreshold({ threshold }: Term): boolean {
  return threshold !== MISSING;
}
