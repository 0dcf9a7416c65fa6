import { SottoError } from "../errors.ts";

/** Counts the requests that are being answered, so that a stop can wait for them. */
export class Drain {
  #running = 0;
  #ending: PromiseWithResolvers<void> | undefined;

  /** True once `end` was called. */
  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** Runs `answer` as one request. Throws `busy` once `end` was called. */
  async track(answer: () => Promise<void>): Promise<void> {
    if (this.#ending !== undefined) {
      throw new SottoError("busy", "the server is stopping: send the request again later");
    }
    this.#running++;
    try {
      await answer();
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#running--;
    if (this.#running === 0) this.#ending?.resolve();
  }

  /** Lets no further request in; settles when the running ones have their answers, or after `seconds`. */
  async end(seconds: number): Promise<void> {
    this.#ending ??= Promise.withResolvers();
    if (this.#running === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, seconds * 1000);
    await Promise.race([this.#ending.promise, late]);
    clearTimeout(timer);
  }
}
