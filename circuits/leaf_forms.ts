/**
 * From trees to linear forms: the cost of a leaf is the number of failing literals of its path.
 *
 * For feature f let u_j = [x_f >= t_j]. The literals of f on a path merge to the tightest lower bound a (x >= t_a, cost 1 - u_a) and
 * the tightest upper bound b (x < t_b, cost u_b). Missing values need more, see `MissingCode`:
 *
 * - `pattern`: a missing x_f sets u_j to 1 exactly where splits at t_j send it right, so every single literal is right about it. If
 *   some literal of f on the path rejects missing values but the two kept ones do not, that literal is kept as well; it costs nothing
 *   where they hold.
 * - `bit`: a missing x_f sets all u_j to 0 and m_f to 1. The kept literals then cost [a exists], the wanted cost is 0 if all literals
 *   let missing values pass and at least 1 otherwise: m_f gets -1 if a exists and all pass, +1 if a does not exist and one does not.
 *
 * So every feature's part is >= 0, and all parts are 0 exactly when the row follows the path. Where bounds contradict (t_a >= t_b, so
 * u_a <= u_b) the part is >= 1 unless x_f is missing: a leaf that missing values do not reach either is dropped.
 */
import type { Tree } from "../models/types.ts";
import type { MissingCode } from "./missing_codes.ts";

/** One term: `weight` times bit `threshold` of `feature`, or its missing bit when `threshold` is `MISSING`. */
export interface Term {
  readonly feature: number;
  readonly threshold: number;
  readonly weight: number;
}

export const MISSING = -1;

export interface LeafForm {
  readonly terms: readonly Term[];
  readonly constant: number;
  /** One value for each output of its tree. */
  readonly values: readonly number[];
}

/** [x >= t] when `right`, else [x < t]; the threshold by index. */
export interface Literal {
  readonly threshold: number;
  readonly right: boolean;
}

/** The literals of one feature on one path. */
export interface Bounds {
  readonly lower?: Literal;
  readonly upper?: Literal;
  /** Some literal that a missing value fails. */
  readonly rejecting?: Literal;
}

/** The forms of the leaves of one tree that some row can reach, in depth-first order. `indices[f]` maps a threshold to its index. */
export function leafForms(
  tree: Tree,
  indices: readonly ReadonlyMap<number, number>[],
  codes: readonly MissingCode[],
): LeafForm[] {
  const forms: LeafForm[] = [];
  const path = new Map<number, Bounds>();
  /** Depth first without recursion: what to do next, last first. */
  const pending: (() => void)[] = [() => visit(0)];

  const descend = (feature: number, bounds: Bounds, child: number) => {
    const before = path.get(feature);
    path.set(feature, bounds);
    pending.push(() => before === undefined ? path.delete(feature) : path.set(feature, before));
    pending.push(() => visit(child));
  };
  const visit = (index: number) => {
    const node = tree.nodes[index];
    if (node.kind === "leaf") {
      if (reachable(path, codes)) forms.push({ ...costForm(path, codes), values: node.values });
      return;
    }
    const bounds = path.get(node.feature) ?? {};
    const threshold = indices[node.feature].get(node.threshold)!;
    const passes = node.missing === "right";
    pending.push(() => descend(node.feature, narrow(bounds, { threshold, right: true }, passes), node.right));
    pending.push(() => descend(node.feature, narrow(bounds, { threshold, right: false }, !passes), node.left));
  };
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) next();
  return forms;
}

/** The bounds after one more literal. */
export function narrow({ lower, upper, rejecting }: Bounds, literal: Literal, missingPasses: boolean): Bounds {
  const tighter = literal.right
    ? literal.threshold > (lower?.threshold ?? -1)
    : literal.threshold < (upper?.threshold ?? Infinity);
  return {
    lower: tighter && literal.right ? literal : lower,
    upper: tighter && !literal.right ? literal : upper,
    rejecting: missingPasses ? rejecting : rejecting ?? literal,
  };
}

function reachable(path: ReadonlyMap<number, Bounds>, codes: readonly MissingCode[]): boolean {
  for (const [feature, bounds] of path) if (!satisfiable(bounds, codes[feature])) return false;
  return true;
}

/** True when some cell of a feature, missing or not, meets its bounds. */
export function satisfiable({ lower, upper, rejecting }: Bounds, code: MissingCode): boolean {
  const contradict = lower !== undefined && upper !== undefined && lower.threshold >= upper.threshold;
  return !contradict || (code.kind !== "never" && rejecting === undefined);
}

/** The cost of a path: 0 where a row follows it, more elsewhere. */
export function costForm(
  path: ReadonlyMap<number, Bounds>,
  codes: readonly MissingCode[],
): { terms: Term[]; constant: number } {
  const weights: Term[] = [];
  let constant = 0;
  for (const [feature, bounds] of path) {
    for (const { threshold, right } of keptLiterals(bounds, codes[feature])) {
      weights.push({ feature, threshold, weight: right ? -1 : 1 });
      if (right) constant += 1;
    }
    if (codes[feature].kind === "bit" && (bounds.lower === undefined) === (bounds.rejecting !== undefined)) {
      weights.push({ feature, threshold: MISSING, weight: bounds.lower === undefined ? 1 : -1 });
    }
  }
  return { terms: addUp(weights), constant };
}

/** The tightest bounds, and with a pattern one literal that rejects missing values where they do not. */
function keptLiterals({ lower, upper, rejecting }: Bounds, code: MissingCode): Literal[] {
  const kept = [lower, upper].filter((literal) => literal !== undefined);
  if (code.kind !== "pattern" || rejecting === undefined) return kept;
  const rejects = ({ threshold, right }: Literal) => code.ones[threshold] !== right;
  return kept.some(rejects) ? kept : [...kept, rejecting];
}

/** One term a bit; a path may hold x >= t and x < t of the same t, which missing values only can satisfy one after the other. */
export function addUp(terms: readonly Term[]): Term[] {
  const sums = new Map<string, Term>();
  for (const term of terms) {
    const bit = `${term.feature}:${term.threshold}`;
    sums.set(bit, { ...term, weight: term.weight + (sums.get(bit)?.weight ?? 0) });
  }
  return [...sums.values()].filter((term) => term.weight !== 0);
}
