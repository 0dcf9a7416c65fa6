/** What every suite gets and gives. */
import type { Result } from "./results.ts";

/** The core that programs are pinned to: the last, since the first serves most interrupts. */
export const MEASURING_CORE = navigator.hardwareConcurrency - 1;

/** One run of `deno task bench`. */
export interface Run {
  /** Fewer repetitions: the whole run ends within ten minutes on two cores. */
  readonly quick: boolean;
  /** Also build and measure the peers, and give ratios to them. */
  readonly peers: boolean;
  /** Exact lookups of which errors are counted, beside the times; 0 counts none. */
  readonly lookups: number;
  /** Back end of what runs through the library; absent: the fastest of this machine. */
  readonly backend?: string;
  /** Writes one line of progress. */
  readonly log: (line: string) => void;
  /** Keeps a result. */
  readonly add: (result: Result) => void;
}

/** Measures and adds its results. */
export type Suite = (run: Run) => Promise<void>;
