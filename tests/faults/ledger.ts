/** What the server has acknowledged, and so must keep. */

/** A job that was answered 202. */
export interface AcknowledgedJob {
  readonly id: string;
  /** The idempotency key it was sent with. */
  readonly key: string;
  /** How it ended, once it was seen to have. */
  ended?: "succeeded" | "failed" | "cancelled";
  /** Why it failed. */
  reason?: string;
  /** Digest of its answers when they were first fetched. */
  answers?: string;
}

/** Grows over all runs of a scenario. */
export class Ledger {
  readonly keys = new Set<string>();
  readonly models = new Set<string>();
  readonly jobs = new Map<string, AcknowledgedJob>();
  /** Synchronous predictions that were answered. */
  predictions = 0;
  /** Of those, answers that were wrong. */
  wrong = 0;
  /** Refusals by status and code, such as `503 database_unavailable`. */
  readonly refusals = new Map<string, number>();

  get unfinished(): AcknowledgedJob[] {
    return [...this.jobs.values()].filter(({ ended }) => ended === undefined);
  }

  /** True when something of every kind was acknowledged since `before` was taken. */
  grownSince(before: LedgerSize): boolean {
    const now = this.size();
    return now.keys > before.keys && now.models > before.models && now.jobs > before.jobs &&
      now.predictions > before.predictions;
  }

  size(): LedgerSize {
    const { keys, models, jobs, predictions } = this;
    return { keys: keys.size, models: models.size, jobs: jobs.size, predictions };
  }

  refused(status: number, code: string): void {
    const what = `${status} ${code}`;
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1);
  }
}

/** How much a ledger holds. */
export interface LedgerSize {
  readonly keys: number;
  readonly models: number;
  readonly jobs: number;
  readonly predictions: number;
}
