import Table from "cli-table3";
import type { Outcome } from "./scenario.ts";

/** The outcomes as a table for people. */
export function outcomeTable(outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: ["fault", "runs", "keys", "models", "jobs", "predictions", "lost", "changed", "stuck", "failed", "wrong"],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, skipped, runs, ledger, damage } of outcomes) {
    const { keys, models, jobs, predictions } = ledger.size();
    const { lost, changed, stuck, failed } = damage;
    const counts = [keys, models, jobs, predictions, lost, changed, stuck, failed, ledger.wrong];
    table.push([name, skipped === undefined ? runs : "skipped", ...counts]);
  }
  return table.toString();
}

/** Below the table: leftovers, recovery, refusals, and what was damaged. */
export function outcomeNotes({ name, skipped, ledger, damage, recoveryMs }: Outcome): string[] {
  if (skipped !== undefined) return [`${name}: skipped, ${skipped}`];
  const refusals = [...ledger.refusals].map(([what, count]) => `${what} ${count} times`).join(", ");
  return [
    `${name}: ready again after at most ${Math.round(recoveryMs)} ms; ${damage.leftovers} files left over; ` +
    `refused: ${refusals || "nothing"}`,
    ...damage.details.map((detail) => `  ${detail}`),
  ];
}
