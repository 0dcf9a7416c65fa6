/** What every suite gets and gives. */
import type { Result } from "./results.ts";

/** One run of `deno task bench`. */
export interface Run {
  /** Fewer repetitions: the whole run ends within ten minutes on two cores. */
  readonly quick: boolean;
  /** Also build and measure the peers, and give ratios to them. */
  readonly peers: boolean;
  /** Writes one line of progress. */
  readonly log: (line: string) => void;
  /** Keeps a result. */
  readonly add: (result: Result) => void;
}

/** Measures and adds its results. */
export type Suite = (run: Run) => Promise<void>;
