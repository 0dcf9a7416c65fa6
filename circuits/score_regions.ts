/** Regions of a tree: connected splits below one root, whose decisions have few states together. */
import type { MissingCode } from "./missing_codes.ts";
import { sidesOfStates, stateCount } from "./score_digits.ts";
import { SLOTS } from "./score_paths.ts";
import type { ScoreNode, ScoreSplit } from "./score_tree.ts";

/** Splits of a region. */
const SPLITS_MAX = 6;

export interface Region {
  /** The root first. */
  readonly splits: readonly number[];
  /** Splits just below it. */
  readonly exits: readonly number[];
  readonly states: number;
}

/** Every region of a split that has no more states than a table slots. */
export function regionsOf(nodes: readonly ScoreNode[], root: number, codes: readonly MissingCode[]): Region[] {
  const regions: Region[] = [];
  const grow = (splits: readonly number[], frontier: readonly number[]) => {
    const states = stateCount(splitsAt(nodes, splits), codes);
    if (states > SLOTS) return;
    const exits = splits.flatMap((at) => splitsBelow(nodes, at)).filter((child) => !splits.includes(child));
    regions.push({ splits, exits, states });
    if (splits.length === SPLITS_MAX) return;
    frontier.forEach((next, i) => {
      grow([...splits, next], [...frontier.slice(i + 1), ...splitsBelow(nodes, next)]);
    });
  };
  grow([root], splitsBelow(nodes, root));
  return regions;
}

function splitsBelow(nodes: readonly ScoreNode[], at: number): number[] {
  const { left, right } = nodes[at] as ScoreSplit;
  return [left, right].filter((child) => nodes[child].kind === "split");
}

/** The splits of given numbers. */
export function splitsAt(nodes: readonly ScoreNode[], numbers: readonly number[]): ScoreSplit[] {
  return numbers.map((at) => nodes[at] as ScoreSplit);
}

/** The node outside of the region that each state leads to. */
export function stateTargets(
  nodes: readonly ScoreNode[],
  { splits }: Region,
  codes: readonly MissingCode[],
): number[] {
  return sidesOfStates(splitsAt(nodes, splits), codes).map((goesRight) => {
    let at = splits[0];
    while (splits.includes(at)) {
      const split = nodes[at] as ScoreSplit;
      at = goesRight(split) ? split.right : split.left;
    }
    return at;
  });
}
