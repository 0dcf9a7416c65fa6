/** Progress bars on standard error, only where someone watches. */
import { Presets, SingleBar } from "cli-progress";
import type { Context } from "./context.ts";

/** A bar that is told the share done, between 0 and 1. */
export interface Progress extends Disposable {
  readonly update: (share: number) => void;
}

/** Starts a bar; without a terminal it does nothing. Dispose of it to end its line. */
export function startProgress(context: Context, label: string): Progress {
  if (!context.isTerminal) return { update: () => {}, [Symbol.dispose]: () => {} };
  const bar = new SingleBar(
    { format: `${label} {bar} {percentage}% | {eta_formatted}`, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(1000, 0);
  return {
    update: (share) => bar.update(Math.round(share * 1000)),
    [Symbol.dispose]: () => bar.stop(),
  };
}
