/**
 * Decisions of splits as one small number, the state. Decisions on one feature are ordered (x >= 5 implies x >= 3), so t of them make t + 1
 * levels and not 2^t; features are the digits of the state.
 */
import { MISSING, type Term } from "./leaf_forms.ts";
import type { MissingCode } from "./missing_codes.ts";
import type { ScoreSplit } from "./score_tree.ts";

/** What decides: splits of different trees that agree in it are one decision. */
export type Decision = Pick<ScoreSplit, "feature" | "threshold" | "missingRight">;

/** The distinct decisions on one feature. */
interface Digit {
  readonly feature: number;
  readonly decisions: readonly Decision[];
  /** Going right at decision j + 1 implies going right at decision j. */
  readonly ordered: boolean;
  readonly levels: number;
}

/** Equal for equal decisions: the side of missing values counts only where splits at one threshold disagree about it. */
export function decisionKey({ feature, threshold, missingRight }: Decision, codes: readonly MissingCode[]): string {
  return codes[feature].kind === "bit" ? `${feature}:${threshold}:${missingRight}` : `${feature}:${threshold}`;
}

/** The digits of some decisions, in any order and with repetitions. */
function digitsOf(all: readonly Decision[], codes: readonly MissingCode[]): Digit[] {
  return [...Map.groupBy(all, ({ feature }) => feature)].map(([feature, same]) => {
    const distinct = new Map(same.map((decision) => [decisionKey(decision, codes), decision]));
    const decisions = [...distinct.values()].sort((a, b) =>
      a.threshold - b.threshold || Number(b.missingRight) - Number(a.missingRight)
    );
    const ordered = codes[feature].kind === "never" ||
      decisions.every(({ missingRight }, j) => j === 0 || !missingRight || decisions[j - 1].missingRight);
    return { feature, decisions, ordered, levels: ordered ? decisions.length + 1 : 2 ** decisions.length };
  });
}

/** How many states some decisions have. */
export function stateCount(decisions: readonly Decision[], codes: readonly MissingCode[]): number {
  return digitsOf(decisions, codes).reduce((product, { levels }) => product * levels, 1);
}

/** The state as a linear form of the bits; it has no constant. */
export function stateTerms(all: readonly Decision[], codes: readonly MissingCode[]): Term[] {
  let place = 1;
  return digitsOf(all, codes).flatMap(({ feature, decisions, ordered, levels }) => {
    const unit = place;
    place *= levels;
    return decisions.flatMap(({ threshold, missingRight }, j) => {
      const weight = ordered ? unit : unit * 2 ** j;
      const missing = codes[feature].kind === "bit" && missingRight ? [{ feature, threshold: MISSING, weight }] : [];
      return [{ feature, threshold, weight }, ...missing];
    });
  });
}

/** For each state which of the decisions go right. */
export function sidesOfStates(
  all: readonly Decision[],
  codes: readonly MissingCode[],
): ((decision: Decision) => boolean)[] {
  const digits = digitsOf(all, codes);
  return Array.from({ length: stateCount(all, codes) }, (_, state) => {
    const right = new Set<string>();
    let rest = state;
    for (const { decisions, ordered, levels } of digits) {
      const level = rest % levels;
      rest = Math.floor(rest / levels);
      decisions.forEach((decision, j) => {
        if (ordered ? level > j : (level >> j) & 1) right.add(decisionKey(decision, codes));
      });
    }
    return (decision) => right.has(decisionKey(decision, codes));
  });
}
