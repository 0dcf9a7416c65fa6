/**
 * Which lookups a tree takes in mode `score`: the cheapest cover by groups. A group is a region under a path from a base; a split may
 * also become a base of its own, for one lookup that turns its condition into a bit. Dynamic programming from the leaves up.
 */
import type { MissingCode } from "./missing_codes.ts";
import { type Base, basesOf, SLOTS } from "./score_paths.ts";
import { type Region, regionsOf } from "./score_regions.ts";
import type { ScoreNode, ScoreSplit } from "./score_tree.ts";

/** A leaf alone, or a region, reached by the path from `base` to `root`. */
export interface Group {
  readonly root: number;
  readonly base: Base;
  /** None for a leaf. */
  readonly region?: Region;
}

export interface Cover {
  readonly groups: readonly Group[];
  /** Bases other than the root, each after the base of its own path. */
  readonly bases: readonly { readonly node: number; readonly base: Base }[];
  /** What the choice was made by: lookups, before groups share tables. */
  readonly lookups: number;
}

type Choice = "leaf" | "split" | "base" | Region;

interface Best {
  readonly base: Base;
  readonly lookups: number;
  readonly choice: Choice;
}

/** @param leafLookups lookups of a leaf alone: its values that are not zero; `regionLookups` those of a region */
export function coverTree(
  nodes: readonly ScoreNode[],
  codes: readonly MissingCode[],
  leafLookups: (values: readonly number[]) => number,
  regionLookups: number,
): Cover {
  const best: Best[][] = new Array(nodes.length);
  const cost = (at: number, base: number) => found(best, at, base)?.lookups ?? Infinity;
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at];
    const regions = node.kind === "split" ? regionsOf(nodes, at, codes) : [];
    best[at] = [];
    for (const base of basesOf(nodes, at, codes)) {
      best[at].push(
        node.kind === "leaf"
          ? { base, lookups: leafLookups(node.values), choice: "leaf" }
          : cheapest(at, node, base, regions, regionLookups, cost),
      );
    }
  }
  return { ...collect(nodes, best), lookups: cost(0, 0) };
}

function found(best: readonly Best[][], at: number, base: number): Best | undefined {
  return best[at].find((entry) => entry.base.node === base);
}

function cheapest(
  at: number,
  split: ScoreSplit,
  base: Base,
  regions: readonly Region[],
  regionLookups: number,
  cost: (at: number, base: number) => number,
): Best {
  let best: Best = { base, lookups: cost(split.left, base.node) + cost(split.right, base.node), choice: "split" };
  if (base.node !== at) {
    const lookups = 1 + cost(at, at);
    if (lookups < best.lookups) best = { base, lookups, choice: "base" };
  }
  for (const region of regions) {
    if (region.states * (1 + base.cost) > SLOTS) continue;
    const lookups = region.exits.reduce((sum, exit) => sum + cost(exit, base.node), regionLookups);
    if (lookups < best.lookups) best = { base, lookups, choice: region };
  }
  return best;
}

function collect(nodes: readonly ScoreNode[], best: readonly Best[][]): Pick<Cover, "groups" | "bases"> {
  const groups: Group[] = [];
  const bases: { node: number; base: Base }[] = [];
  const pending: [at: number, base: number][] = [[0, 0]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [at, baseNode] = next;
    const { base, choice } = found(best, at, baseNode)!;
    if (choice === "leaf") groups.push({ root: at, base });
    else if (choice === "base") {
      bases.push({ node: at, base });
      pending.push([at, at]);
    } else if (choice === "split") {
      const { left, right } = nodes[at] as ScoreSplit;
      pending.push([left, baseNode], [right, baseNode]);
    } else {
      groups.push({ root: at, base, region: choice });
      pending.push(...choice.exits.map((exit): [number, number] => [exit, baseNode]));
    }
  }
  return { groups, bases };
}
