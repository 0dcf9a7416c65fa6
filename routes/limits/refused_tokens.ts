import { createHash } from "node:crypto";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { type ErrorCode, isSottoError, SottoError } from "../../errors.ts";

const REFUSALS: readonly ErrorCode[] = ["token_missing", "token_invalid", "token_expired"];
const GOOD_TOKENS_MAX = 10_000;
/** Addresses that are kept before the quiet ones are sorted out. */
const ADDRESSES_MAX = 10_000;

/**
 * Slows who guesses tokens: an address that sent too many requests without a good token in a minute is refused without asking the database, except for tokens
 * that were good here lately, so that a guesser behind the same proxy shuts nobody out who works.
 */
export class RefusedTokens {
  readonly #refusals: RateLimiterMemory;
  readonly #refused = new Set<string>();
  /** Hashes of tokens that were good, the newest last. */
  readonly #good = new Set<string>();

  constructor(perMinute: number) {
    this.#refusals = new RateLimiterMemory({ points: perMinute, duration: 60 });
  }

  /** Runs `verify` for a token from an address. Throws what it throws, or `rate_limited`. */
  async guard<T>(address: string, token: string | undefined, verify: () => Promise<T>): Promise<T> {
    const hash = token === undefined ? undefined : createHash("sha256").update(token).digest("base64");
    if (hash === undefined || !this.#good.has(hash)) await this.#requireFew(address);
    try {
      const verified = await verify();
      if (hash !== undefined) this.#remember(hash);
      return verified;
    } catch (error) {
      if (isSottoError(error) && REFUSALS.includes(error.code)) await this.#refuse(address, hash);
      throw error;
    }
  }

  /** Forgets all addresses. */
  async close(): Promise<void> {
    for (const address of this.#refused) await this.#refusals.delete(address);
    this.#refused.clear();
  }

  async #requireFew(address: string): Promise<void> {
    const found = await this.#refusals.get(address);
    if (found === null || found.consumedPoints < this.#refusals.points) return;
    const retryAfter = Math.max(1, Math.ceil(found.msBeforeNext / 1000));
    const message = `too many requests without a good token came from your address: go on in ${retryAfter} seconds`;
    throw new SottoError("rate_limited", message, { retryAfter });
  }

  async #refuse(address: string, hash: string | undefined): Promise<void> {
    if (hash !== undefined) this.#good.delete(hash);
    await this.#refusals.penalty(address);
    this.#refused.add(address);
    if (this.#refused.size > ADDRESSES_MAX) await this.#forgetQuiet();
  }

  /** The limiter has forgotten them already. */
  async #forgetQuiet(): Promise<void> {
    for (const address of this.#refused) {
      if (await this.#refusals.get(address) === null) this.#refused.delete(address);
    }
  }

  #remember(hash: string): void {
    this.#good.delete(hash);
    this.#good.add(hash);
    if (this.#good.size > GOOD_TOKENS_MAX) this.#good.delete(this.#good.values().next().value!);
  }
}
