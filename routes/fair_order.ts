/** Weight of the newest turn in a tenant's mean. */
const NEWEST_SHARE = 0.2;

interface Share<T> {
  readonly waiting: T[];
  running: number;
  /** Virtual time: what the tenant's turns took, or where it joined. */
  finish: number;
  /** Mean of its turns: what a turn is taken to cost until it ends. */
  mean: number;
}

/** One turn that was given: its end wants the charge corrected. */
export interface Turn {
  readonly tenant: string;
  readonly charged: number;
}

/**
 * Whose turn it is: start-time fair queuing (Goyal, Vin, Cheng 1996) between tenants, in order of asking within a tenant. The tenant whose turns took least so
 * far comes next; one that was away joins at the present virtual time, so waiting earns nothing. The cost of a turn is known
 * only at its end: until then the tenant's mean is charged.
 */
export class FairOrder<T> {
  readonly #shares = new Map<string, Share<T>>();
  #virtual = 0;
  #waiting = 0;

  /** Entries that wait. */
  get size(): number {
    return this.#waiting;
  }

  /** Tenants that wait or run. */
  get tenants(): number {
    return this.#shares.values().filter(isActive).toArray().length;
  }

  /** Puts an entry at the end of its tenant's queue. */
  add(tenant: string, entry: T): void {
    this.#shareOf(tenant).waiting.push(entry);
    this.#waiting++;
  }

  /** Takes an entry out that does not wait any longer. */
  remove(tenant: string, entry: T): void {
    const share = this.#shares.get(tenant);
    const index = share?.waiting.indexOf(entry) ?? -1;
    if (share === undefined || index < 0) return;
    share.waiting.splice(index, 1);
    this.#waiting--;
    this.#forget();
  }

  /** The entry whose turn it is. */
  take(): { entry: T; turn: Turn } | undefined {
    let next: [string, Share<T>] | undefined;
    for (const candidate of this.#shares) {
      if (candidate[1].waiting.length > 0 && !(next && next[1].finish <= candidate[1].finish)) next = candidate;
    }
    if (next === undefined) return undefined;
    this.#waiting--;
    return { entry: next[1].waiting.shift()!, turn: this.#charge(...next) };
  }

  /** A turn for a tenant that need not wait. */
  begin(tenant: string): Turn {
    return this.#charge(tenant, this.#shareOf(tenant));
  }

  /** The end of a turn that took so many milliseconds. */
  end({ tenant, charged }: Turn, ms: number): void {
    const share = this.#shares.get(tenant)!;
    share.running--;
    share.finish += ms - charged;
    share.mean = share.mean === 0 ? ms : share.mean + NEWEST_SHARE * (ms - share.mean);
    this.#forget();
  }

  #charge(tenant: string, share: Share<T>): Turn {
    this.#virtual = Math.max(this.#virtual, share.finish);
    share.running++;
    share.finish += share.mean;
    return { tenant, charged: share.mean };
  }

  #shareOf(tenant: string): Share<T> {
    const known = this.#shares.get(tenant);
    if (known !== undefined) {
      if (!isActive(known)) known.finish = Math.max(known.finish, this.#virtual);
      return known;
    }
    const share = { waiting: [], running: 0, finish: this.#virtual, mean: 0 };
    this.#shares.set(tenant, share);
    return share;
  }

  /** Tenants that are away and owe nothing need no memory; when all are away, nobody owes anything. */
  #forget(): void {
    const idle = !this.#shares.values().some(isActive);
    for (const [tenant, share] of this.#shares) {
      if (idle || !isActive(share) && share.finish <= this.#virtual) this.#shares.delete(tenant);
    }
  }
}

function isActive({ waiting, running }: Share<unknown>): boolean {
  return waiting.length > 0 || running > 0;
}
