import type { Attempt } from "../attempt.ts";
import type { Computing } from "../compute/computing.ts";
import type { PartResult } from "../part_state.ts";

/** What a part ends with: its result, or `stopped` for a training run that was to stop, and did, before its last step. */
export type PartOutcome = PartResult | "stopped";

/** Computes a part of one kind of job; throws when the attempt's signal ends it. Its staged object is committed by the caller. */
export type Handler = (computing: Computing, attempt: Attempt) => Promise<PartOutcome>;
