/** The report of a fine-tuning run: what it cost, and how near it is to the same run on weights in clear. */
import Table from "cli-table3";
import { gradientCosines, lossGap, type ProductTotals, type TunedRun } from "../client/finetune/mod.ts";
import type { WeightKind } from "../models/language/mod.ts";
import { bytesText } from "./finetune_progress.ts";
import { lineChart } from "./train_plot.ts";

/** The same run on weights that this machine holds. */
export interface ClearRuns {
  /** What the server's integers are. */
  readonly weights: WeightKind;
  /** On these integers. */
  readonly integers: TunedRun;
  /** Weights as the file holds them. */
  readonly float: TunedRun;
}

export interface TuningReport {
  /** Of all steps, also those before a checkpoint. */
  readonly losses: readonly number[];
  /** Steps of this run: seconds, tokens and totals are theirs. */
  readonly steps: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly totals: ProductTotals;
  readonly perplexity?: { readonly before: number; readonly after: number };
  readonly clear?: {
    readonly weights: WeightKind;
    readonly integer_losses: readonly number[];
    readonly float_losses: readonly number[];
    /** Largest relative difference from the losses on the integers. */
    readonly loss_gap_max: number;
    /** Of the first step's gradients with those of the float run. */
    readonly gradient_cosine: number;
    readonly layer_cosines: readonly number[];
  };
}

/** Sets a run beside the clear ones. */
export function compareRuns(
  run: TunedRun,
  { weights, integers, float }: ClearRuns,
): NonNullable<TuningReport["clear"]> {
  const cosines = gradientCosines(run, float);
  return {
    weights,
    integer_losses: lossesOf(integers),
    float_losses: lossesOf(float),
    loss_gap_max: lossGap(run, integers),
    gradient_cosine: cosines.all,
    layer_cosines: cosines.layers,
  };
}

export function lossesOf({ steps }: Pick<TunedRun, "steps">): number[] {
  return steps.map(({ loss }) => loss);
}

/** Tables for people. */
export function reportText(report: TuningReport): string {
  const { losses, seconds, totals, clear, perplexity } = report;
  const steps = Math.max(1, report.steps);
  const share = (milliseconds: number) => `${(milliseconds / 1000 / steps).toFixed(2)} s`;
  const used = totals.encryptMs + totals.decryptMs + totals.serverMs + totals.wireMs;
  const rows: [string, string][] = [
    ["loss, first and last step", `${losses[0].toFixed(4)}, ${losses.at(-1)!.toFixed(4)}`],
    ["a step", share(1000 * seconds)],
    ["  server", share(totals.serverMs)],
    ["  wire and waiting", share(totals.wireMs)],
    ["  client: encryption", share(totals.encryptMs + totals.decryptMs)],
    ["  client: model", share(1000 * seconds - used)],
    ["tokens a second", (report.tokens / seconds).toPrecision(3)],
    ["sent, received a step", `${bytesText(totals.bytesUp / steps)}, ${bytesText(totals.bytesDown / steps)}`],
    ["requests, repeated", `${totals.requests}, ${totals.retries}`],
  ];
  if (totals.maskBytes > 0) rows.push(["cached masks", bytesText(totals.maskBytes)]);
  if (perplexity) rows.push(["perplexity", `${perplexity.before.toFixed(3)} -> ${perplexity.after.toFixed(3)}`]);
  if (clear) {
    rows.push([`loss gap to ${clear.weights} in clear`, `${(100 * clear.loss_gap_max).toFixed(3)} %`]);
    rows.push(["gradient cosine to float", clear.gradient_cosine.toFixed(5)]);
  }
  return [table(["", ""], rows), ...clear ? [comparisonTable(losses, clear)] : []].join("\n") + "\n";
}

function comparisonTable(losses: readonly number[], clear: NonNullable<TuningReport["clear"]>): string {
  const rows = losses.map((loss, i) => [
    String(i + 1),
    loss.toFixed(4),
    clear.integer_losses[i].toFixed(4),
    clear.float_losses[i].toFixed(4),
  ]);
  const layers = clear.layer_cosines.map((cosine, i) => [String(i), cosine.toFixed(5)]);
  return [table(["step", "encrypted", clear.weights, "float"], rows), table(["layer", "gradient cosine"], layers)].join(
    "\n",
  );
}

function table(head: string[], rows: readonly string[][]): string {
  const style = { head: [], border: [], compact: true };
  const made = head.every((name) => name === "") ? new Table({ style }) : new Table({ head, style });
  made.push(...rows.map((row) => [...row]));
  return made.toString();
}

/** The charts by the names of their files. */
export function reportCharts({ losses, clear }: TuningReport): Map<string, string> {
  const points = (values: readonly number[], first: number) => values.map((y, i) => ({ x: first + i, y }));
  const others = clear &&
    [
      { name: clear.weights, points: points(clear.integer_losses, 1) },
      { name: "float", points: points(clear.float_losses, 1) },
    ];
  const charts = new Map([
    ["loss.svg", lineChart({ title: "loss", xLabel: "step", name: "encrypted", points: points(losses, 1), others })],
  ]);
  if (clear) {
    const title = "gradient cosine to float, first step";
    charts.set("gradients.svg", lineChart({ title, xLabel: "layer", points: points(clear.layer_cosines, 0) }));
  }
  return charts;
}
