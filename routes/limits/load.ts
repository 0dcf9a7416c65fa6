import {
  type Database,
  forgetTenantLoads,
  readTenantLoads,
  removeTenantLoads,
  reportTenantLoads,
  type TenantLoad,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Log } from "../../jobs/mod.ts";
import type { Gate } from "../gate.ts";

const REPORT_MS = 1000;
/** What a server said longer ago counts no more. */
const STALE_MS = 5000;
const NOTHING: TenantLoad = { requests: 0, queued: 0 };

/**
 * How much each tenant has inside, here and in the other servers of the database. Servers tell each other every second while anything is asked for, so a
 * bound over several servers may be overstepped by what comes within that second.
 */
export class Load {
  readonly #id = crypto.randomUUID();
  readonly #requests = new Map<string, number>();
  /** Tenants that asked since the last exchange. */
  #asked = new Set<string>();
  /** Tenants that others believe to have something inside here. */
  #told = new Set<string>();
  #elsewhere = { loads: new Map<string, TenantLoad>(), at: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #exchange: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly database: Database,
    private readonly log: Log,
    private readonly predictions: Pick<Gate, "inside">,
  ) {}

  /** Runs `work` as one request of the tenant. Throws `rate_limited` when it has `max` inside, everywhere. */
  async request<T>(tenant: string, max: number, work: () => Promise<T>): Promise<T> {
    this.#asked.add(tenant);
    this.#schedule();
    const here = this.#requests.get(tenant) ?? 0;
    const inside = here + this.elsewhere(tenant).requests;
    if (inside >= max) {
      const message = `you have ${inside} requests inside, as many as you may: wait for their answers`;
      throw new SottoError("rate_limited", message);
    }
    this.#requests.set(tenant, here + 1);
    try {
      return await work();
    } finally {
      this.#leave(tenant);
    }
  }

  /** What the tenant has inside of other servers, as they told in the last seconds. */
  elsewhere(tenant: string): TenantLoad {
    const { loads, at } = this.#elsewhere;
    return Date.now() - at < STALE_MS ? loads.get(tenant) ?? NOTHING : NOTHING;
  }

  /** What the tenant has inside, everywhere. */
  of(tenant: string): TenantLoad {
    const [here, elsewhere] = [this.#here(tenant), this.elsewhere(tenant)];
    return { requests: here.requests + elsewhere.requests, queued: here.queued + elsewhere.queued };
  }

  /** Removes what servers left that were killed. */
  async tidy(): Promise<void> {
    await removeTenantLoads(this.database, new Date(Date.now() - 60 * STALE_MS));
  }

  /** Ends the exchange; what was told to others is taken back. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#exchange;
    if (this.#told.size > 0) await forgetTenantLoads(this.database, this.#id).catch(() => undefined);
  }

  #here(tenant: string): TenantLoad {
    return { requests: this.#requests.get(tenant) ?? 0, queued: this.predictions.inside(tenant) };
  }

  #leave(tenant: string): void {
    const left = this.#requests.get(tenant)! - 1;
    if (left === 0) this.#requests.delete(tenant);
    else this.#requests.set(tenant, left);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#exchange = this.#tell().catch((error) => {
        this.log.warn("loads not exchanged with other servers", { reason: String(error?.cause ?? error) });
      }).finally(() => {
        this.#timer = undefined;
        if (this.#requests.size > 0 || this.#told.size > 0 || this.#asked.size > 0) this.#schedule();
      });
    }, REPORT_MS);
  }

  /** Tells what is inside here, zeros included for those who had something before, and asks what is inside elsewhere. */
  async #tell(): Promise<void> {
    const now = new Date();
    const busy = new Set(this.#requests.keys());
    const asked = new Set([...busy, ...this.#asked]);
    this.#asked = new Set();
    const loads = new Map([...busy, ...this.#told].map((tenant) => [tenant, this.#here(tenant)]));
    await reportTenantLoads(this.database, this.#id, loads, now);
    this.#told = busy;
    const since = new Date(now.getTime() - STALE_MS);
    this.#elsewhere = { loads: await readTenantLoads(this.database, this.#id, [...asked], since), at: now.getTime() };
  }
}
