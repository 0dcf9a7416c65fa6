import { lt } from "drizzle-orm";
import { RateLimiterDrizzle } from "rate-limiter-flexible";
import type { Database } from "./database.ts";
import { rateLimits } from "./schema.ts";

const WINDOW_SECONDS = 60;

/** What was counted before an addition, and when the count starts again. */
export interface Count {
  readonly before: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

interface Batch {
  points: number;
  readonly sent: Promise<{ after: number; resetMs: number }>;
}

/**
 * Counts by key in windows of a minute, in the database, so that all servers count together. A key has one query under way at most: what comes
 * meanwhile is added up and goes with the next one, so the count stays exact and many requests of a tenant cost few queries.
 */
export class RateCounter {
  readonly #limiter: RateLimiterDrizzle;
  /** Batches that are not sent yet. */
  readonly #open = new Map<string, Batch>();
  /** The last query of each key. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(database: Database) {
    this.#limiter = new RateLimiterDrizzle({
      storeClient: database.queries,
      schema: rateLimits,
      points: Number.MAX_SAFE_INTEGER,
      duration: WINDOW_SECONDS,
      keyPrefix: "",
      clearExpiredByTimeout: false,
    });
  }

  /** Counts so many points. */
  async add(key: string, points: number): Promise<Count> {
    const batch = this.#open.get(key) ?? this.#start(key);
    const ahead = batch.points;
    batch.points += points;
    const { after, resetMs } = await batch.sent;
    return { before: after - batch.points + ahead, resetMs };
  }

  #start(key: string): Batch {
    const batch: Batch = { points: 0, sent: this.#send(key, () => batch) };
    this.#open.set(key, batch);
    return batch;
  }

  async #send(key: string, batch: () => Batch): Promise<{ after: number; resetMs: number }> {
    await this.#last.get(key)?.catch(() => undefined);
    this.#open.delete(key);
    const query = this.#limiter.penalty(key, batch().points);
    this.#last.set(key, query);
    try {
      const { consumedPoints, msBeforeNext } = await query;
      return { after: consumedPoints, resetMs: msBeforeNext };
    } finally {
      if (this.#last.get(key) === query) this.#last.delete(key);
    }
  }
}

/** Removes counters whose window ended before `instant`. */
export async function removeRateLimits(database: Database, before: Date): Promise<void> {
  await database.queries.delete(rateLimits).where(lt(rateLimits.expire, before));
}
