/** Counts what clients see. */

/** What became of one request. */
export interface Seen {
  readonly tenant: string;
  readonly rows: number;
  /** 0 when the connection failed. */
  readonly status: number;
  readonly ms: number;
}

/** Sums over a run; times and rows are of answered requests. */
export class Tally {
  readonly #statuses = new Map<number, number>();
  readonly #rows = new Map<string, number>();
  readonly #times: number[] = [];
  /** Answers that had the wrong length or, of those that were decrypted, other labels than the model's. */
  wrong = 0;
  /** Answers that were decrypted and compared. */
  checked = 0;
  /** Refusals without a header that says when to come again. */
  rude = 0;
  /** What failed connections said, without repetitions. */
  readonly failures = new Set<string>();

  add({ tenant, rows, status, ms }: Seen): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status !== 200) return;
    this.#times.push(ms);
    this.#rows.set(tenant, (this.#rows.get(tenant) ?? 0) + rows);
  }

  /** Rows and times begin anew; statuses and faults stay. */
  restart(): void {
    this.#rows.clear();
    this.#times.length = 0;
  }

  /** Requests by status, 0 for failed connections. */
  get statuses(): Readonly<Record<number, number>> {
    return Object.fromEntries([...this.#statuses].sort(([a], [b]) => a - b));
  }

  get requests(): number {
    return [...this.#statuses.values()].reduce((sum, count) => sum + count, 0);
  }

  rowsOf(tenant: string): number {
    return this.#rows.get(tenant) ?? 0;
  }

  /** Milliseconds below which a share of the answered requests lies; NaN without any. */
  quantile(share: number): number {
    const sorted = Float64Array.from(this.#times).sort();
    return sorted.length === 0 ? NaN : sorted[Math.ceil(share * sorted.length) - 1];
  }
}
