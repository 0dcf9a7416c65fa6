import { SottoError } from "../../errors.ts";
import type { RateCounter } from "../../db/mod.ts";

/** What a limit says of one request. */
export interface Allowance {
  /** What is counted, for messages. */
  readonly unit: string;
  readonly limit: number;
  readonly left: number;
  /** Seconds until the whole limit is there again. */
  readonly resetSeconds: number;
  /** Whether nothing was left before. */
  readonly refused: boolean;
}

/** What is limited. */
export interface Limited {
  /** Key of its counter. */
  readonly key: string;
  readonly unit: string;
  readonly limit: number;
}

/** Limits a minute over all servers. A key that is at its limit is refused here without asking the database until its window ends. */
export class RateLimit {
  readonly #fullUntil = new Map<string, number>();

  constructor(private readonly counter: Pick<RateCounter, "add">, private readonly now = () => performance.now()) {}

  /** Counts so many points; what begins below the limit passes as a whole. */
  async take({ key, unit, limit }: Limited, points: number): Promise<Allowance> {
    const waitMs = (this.#fullUntil.get(key) ?? 0) - this.now();
    if (waitMs > 0) return { unit, limit, left: 0, resetSeconds: seconds(waitMs), refused: true };
    this.#fullUntil.delete(key);
    const { before, resetMs } = await this.counter.add(key, points);
    const refused = before >= limit;
    if (refused) this.#fullUntil.set(key, this.now() + resetMs);
    return { unit, limit, left: Math.max(0, limit - before - points), resetSeconds: seconds(resetMs), refused };
  }
}

/** Throws `rate_limited` for an allowance that refuses. */
export function requireAllowed({ unit, limit, resetSeconds, refused }: Allowance): void {
  if (!refused) return;
  const message = `you may send ${limit} ${unit} a minute: go on in ${resetSeconds} seconds`;
  throw new SottoError("rate_limited", message, { retryAfter: resetSeconds });
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
