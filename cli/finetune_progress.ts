/** How far a fine-tuning run is: a bar with loss, speed and bytes for people, a line a step without a terminal. */
import { Presets, SingleBar } from "cli-progress";
import type { StepReport } from "../client/finetune/mod.ts";
import type { Context } from "./context.ts";

/** What a step has cost so far. */
export interface StepCost {
  readonly tokens: number;
  readonly seconds: number;
  readonly bytes: number;
}

export interface TuningProgress extends Disposable {
  /** The share of the run that is done, between 0 and 1. */
  update(share: number): void;
  /** Tells a finished step. */
  step(report: StepReport, cost: StepCost): void;
}

/** Starts the display of a run of so many steps. */
export function startTuning(context: Context, label: string, steps: number): TuningProgress {
  return context.isTerminal ? bar(label, steps) : lines(context, label, steps);
}

function bar(label: string, steps: number): TuningProgress {
  const format = `${label} {bar} {percentage}% | step {step}/${steps} | loss {loss} | {cost} | {eta_formatted}`;
  const shown = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
  shown.start(1000, 0, { step: 0, loss: "-", cost: "-" });
  return {
    update: (share) => shown.update(Math.round(share * 1000)),
    step: (report, cost) => shown.update({ step: report.step + 1, loss: report.loss.toFixed(4), cost: costText(cost) }),
    [Symbol.dispose]: () => shown.stop(),
  };
}

function lines(context: Context, label: string, steps: number): TuningProgress {
  return {
    update: () => {},
    step: (report, cost) =>
      context.err(
        `${label}: step ${report.step + 1} of ${steps}, loss ${report.loss.toFixed(4)}, ${costText(cost)}\n`,
      ),
    [Symbol.dispose]: () => {},
  };
}

function costText({ tokens, seconds, bytes }: StepCost): string {
  return `${(tokens / seconds).toPrecision(3)} tokens/s, ${bytesText(bytes)}`;
}

/** 1234567 -> "1.23 MB". */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}
