import { SottoError } from "../errors.ts";
import { FairOrder, type Turn } from "./fair_order.ts";
import { ReturnTimes } from "./return_times.ts";

/** What may be changed of a gate. */
export interface GateOptions {
  /** Callers of one tenant that may be inside; all that compute and half of those that wait when absent. */
  readonly tenantMax?: number;
  /** Milliseconds of a clock. */
  readonly now?: () => number;
}

/** How full a gate is. */
export interface GateDepth {
  /** Callers inside. */
  readonly admitted: number;
  /** Turns that compute. */
  readonly running: number;
  /** Callers that wait for a turn. */
  readonly waiting: number;
}

/** Callers of one tenant. */
interface Inside {
  callers: number;
  /** Running mean of the time that a caller is inside. */
  stayMs: number;
}

/** The weight of the newest in the mean of stays. */
const NEWEST_SHARE = 0.1;
/** Instead of a tenant, for callers that find the gate full. */
const EVERYBODY = "";

/**
 * Admits a bounded number of callers, fewer of one tenant, and lets a smaller number of them compute at a time. Turns are shared fairly: tenants that
 * wait get the same time at the back end, however much each of them asks for.
 */
export class Gate {
  readonly #inside = new Map<string, Inside>();
  readonly #returns = new ReturnTimes();
  readonly #order = new FairOrder<(turn: Turn) => void>();
  readonly #tenantMax: number;
  readonly #now: () => number;
  #admitted = 0;
  #running = 0;
  /** Running mean of the time that a caller is inside. */
  #stayMs = 0;

  /** @param running callers that compute at the same time @param queued further callers that may be inside */
  constructor(readonly running: number, readonly queued: number, options: GateOptions = {}) {
    this.#tenantMax = options.tenantMax ?? running + Math.ceil(queued / 2);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Callers of a tenant that are inside. */
  inside(tenant: string): number {
    return this.#inside.get(tenant)?.callers ?? 0;
  }

  get depth(): GateDepth {
    return { admitted: this.#admitted, running: this.#running, waiting: this.#order.size };
  }

  /**
   * Runs `work` inside the gate; `tenantMax` is the tenant's own bound.
   * Throws `rate_limited` when the tenant has as many callers inside as it may, `busy` when the gate is full.
   */
  async admit<T>(tenant: string, work: () => Promise<T>, tenantMax = this.#tenantMax): Promise<T> {
    this.#requireRoom(tenant, tenantMax);
    const start = this.#now();
    this.#enter(tenant);
    try {
      return await work();
    } finally {
      this.#leave(tenant, this.#now() - start);
    }
  }

  /** Runs `work` when it is the tenant's turn; throws `cancelled` when `signal` ends the wait. */
  async turn<T>(tenant: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = await this.#takeTurn(tenant, signal);
    const start = this.#now();
    try {
      return await work();
    } finally {
      this.#order.end(turn, this.#now() - start);
      this.#running--;
      this.#passTurn();
    }
  }

  #requireRoom(tenant: string, tenantMax: number): void {
    const places = this.running + this.queued;
    const inside = this.inside(tenant);
    if (inside >= tenantMax && tenantMax < places) {
      const stayMs = this.#inside.get(tenant)?.stayMs ?? this.#stayMs;
      const message = `you have ${inside} requests of this kind inside, as many as you may: wait for their answers`;
      throw new SottoError("rate_limited", message, {
        retryAfter: this.#returnOf(tenant, stayMs / Math.max(1, inside)),
      });
    }
    if (this.#admitted < places) return;
    const message = "the server is working on as much as it takes: send the request again later";
    throw new SottoError("busy", message, { retryAfter: this.#returnOf(EVERYBODY, this.#stayMs / this.#admitted) });
  }

  /** Callers leave at an even pace, about. */
  #returnOf(tenant: string, paceMs: number): number {
    return this.#returns.next(tenant, paceMs, this.#now());
  }

  #enter(tenant: string): void {
    const known = this.#inside.get(tenant);
    if (known === undefined) this.#inside.set(tenant, { callers: 1, stayMs: this.#stayMs });
    else known.callers++;
    this.#admitted++;
  }

  #leave(tenant: string, stayMs: number): void {
    const inside = this.#inside.get(tenant)!;
    inside.callers--;
    inside.stayMs += NEWEST_SHARE * (stayMs - inside.stayMs);
    this.#stayMs += NEWEST_SHARE * (stayMs - this.#stayMs);
    this.#admitted--;
    if (inside.callers === 0) this.#inside.delete(tenant);
  }

  async #takeTurn(tenant: string, signal?: AbortSignal): Promise<Turn> {
    if (signal?.aborted) throw cancelled();
    if (this.#running < this.running) {
      this.#running++;
      return this.#order.begin(tenant);
    }
    return await this.#wait(tenant, signal);
  }

  #wait(tenant: string, signal?: AbortSignal): Promise<Turn> {
    return new Promise((resolve, reject) => {
      const proceed = (turn: Turn) => {
        signal?.removeEventListener("abort", leave);
        resolve(turn);
      };
      const leave = () => {
        this.#order.remove(tenant, proceed);
        reject(cancelled());
      };
      this.#order.add(tenant, proceed);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  #passTurn(): void {
    const next = this.#order.take();
    if (next === undefined) return;
    this.#running++;
    next.entry(next.turn);
  }
}

/** The error of a request whose client went away. */
export function cancelled(cause?: unknown): SottoError {
  return new SottoError("cancelled", "the client ended the request before it was answered", { cause });
}
