import type { Outcome } from "./scenario.ts";

/** Honest refusals; a conflict is what a submission that is sent again gets while the first one is being answered. */
const HONEST = /^(409 conflict$|429 |503 |507 )/;

/** One line for each thing that is not as it must be. */
export function faultsOf({ name, skipped, ledger, damage }: Outcome): string[] {
  if (skipped !== undefined) return [];
  const { details, ...counts } = damage;
  const unclean = [...ledger.refusals.keys()].filter((what) => !HONEST.test(what));
  return [
    ...Object.entries(counts).filter(([, count]) => count > 0).map(([what, count]) => `${name}: ${count} ${what}`),
    ...details,
    ...(ledger.wrong > 0 ? [`${name}: ${ledger.wrong} wrong answers`] : []),
    ...unclean.map((what) => `${name}: answered ${what}`),
  ];
}
