/** Lists for people (tables) and for programs (JSON). */
import Table from "cli-table3";
import type { Context } from "./context.ts";

/** Prints records: a table of the given columns, or all of them as JSON. */
export function printRecords<T extends object>(
  context: Context,
  records: readonly T[],
  columns: readonly (keyof T & string)[],
  json: boolean | undefined,
): void {
  if (json) return context.out(JSON.stringify(records, null, 2) + "\n");
  if (records.length === 0) return context.out("none\n");
  const table = new Table({
    head: columns.map((column) => column.replaceAll("_", " ")),
    style: { head: [], border: [] },
  });
  for (const record of records) table.push(columns.map((column) => cell(record[column])));
  context.out(table.toString() + "\n");
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "-";
  return Array.isArray(value) ? value.join(", ") : String(value);
}
