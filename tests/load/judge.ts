/** What a load run must show, and how it is shown. */
import Table from "cli-table3";
import type { LoadFigures } from "./load_run.ts";

const MEBIBYTE = 1024 * 1024;
/** Growth over ten minutes that still counts as flat. */
const GROWTH_BYTES = 64 * MEBIBYTE;
/**
 * How unequally tenants may be served. That the one with few clients asks for its half too is seen by what it gets while it is alone: more than
 * half of what both get together.
 */
const UNFAIR = 1.2;
/** Shorter runs say nothing about memory or fairness. */
const LONG_SECONDS = 120;

/** One line for each thing that is not as it must be. Shares and memory are judged in long runs only. */
export function faultsOf(figures: LoadFigures): string[] {
  const { statuses, wrong, checked, rude, failures, fairness, memorySlope, seconds } = figures;
  const dishonest = Object.entries(statuses).filter(([status]) => !["200", "429"].includes(status));
  const long = seconds >= LONG_SECONDS;
  return [
    ...dishonest.map(([status, count]) => `${count} requests were answered ${status}`),
    ...failures.map((failure) => `connection: ${failure}`),
    ...(statuses[200] > 0 && checked > 0 ? [] : ["no answer was compared with the clear model"]),
    ...(wrong > 0 ? [`${wrong} answers were wrong`] : []),
    ...(rude > 0 ? [`${rude} refusals did not say when to come again`] : []),
    ...(long && (fairness > UNFAIR || fairness < 1 / UNFAIR)
      ? [`the tenants got rows as ${fairness.toFixed(2)} to 1`]
      : []),
    ...(long && memorySlope * 600 > GROWTH_BYTES
      ? [`memory grows by ${mebibytes(memorySlope * 600)} in ten minutes`]
      : []),
  ];
}

/** The figures as a table for people. */
export function loadTable(figures: LoadFigures): string {
  const table = new Table({ style: { head: [], border: [], compact: true }, colAligns: ["left", "right"] });
  const bytes = figures.memory.map((sample) => sample.bytes);
  const rows: [string, string][] = [
    ["clients, seconds", `${figures.clients}, ${figures.seconds}`],
    ...Object.entries(figures.statuses).map(([status, count]): [string, string] => [`status ${status}`, String(count)]),
    ["answers compared, wrong", `${figures.checked}, ${figures.wrong}`],
    ["p50, p99", `${figures.p50Ms.toFixed(0)} ms, ${figures.p99Ms.toFixed(0)} ms`],
    [
      "rows a second, of the small tenant alone",
      [figures.rowsPerSecond, figures.aloneRowsPerSecond].map((rate) => rate.toFixed(1)).join(", "),
    ],
    ["rows of the large over the small tenant", figures.fairness.toFixed(3)],
    ["memory at the start, most, end", [bytes[0], Math.max(...bytes), bytes.at(-1)!].map(mebibytes).join(", ")],
    ["memory slope over ten minutes", mebibytes(figures.memorySlope * 600)],
  ];
  table.push(...rows);
  return table.toString();
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
