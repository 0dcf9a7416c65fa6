/** Nobody is sent away for longer. */
const LONGEST_MS = 60_000;
/** Tenants that are kept before those whose times have passed are sorted out. */
const TENANTS_MAX = 1000;

/**
 * When refused callers may come again: one after the other, at the pace at which places become free, so that they do not all come back at once only
 * to be refused again.
 */
export class ReturnTimes {
  /** The last time that a tenant's caller was told. */
  readonly #last = new Map<string, number>();

  /** Seconds, 1 to 60, until one more refused caller of the tenant may come; a place becomes free every `paceMs`. */
  next(tenant: string, paceMs: number, now: number): number {
    if (this.#last.size >= TENANTS_MAX) this.#forget(now);
    const time = Math.min(now + LONGEST_MS, Math.max(now, this.#last.get(tenant) ?? now) + paceMs);
    this.#last.set(tenant, time);
    return Math.max(1, Math.ceil((time - now) / 1000));
  }

  #forget(now: number): void {
    for (const [tenant, time] of this.#last) if (time <= now) this.#last.delete(tenant);
  }
}
