import { SottoError } from "../errors.ts";

/** Admits a bounded number of callers, and lets a smaller number of them compute at a time, in the order of their asking. */
export class Gate {
  #admitted = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param running callers that compute at the same time @param queued further callers that may be inside */
  constructor(readonly running: number, readonly queued: number) {}

  /** Runs `work` inside the gate. Throws `busy` when it is full. */
  async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.#admitted >= this.running + this.queued) {
      throw new SottoError("busy", "the server is working on as much as it takes: send the request again later");
    }
    this.#admitted++;
    try {
      return await work();
    } finally {
      this.#admitted--;
    }
  }

  /** Runs `work` when it is this caller's turn; throws `cancelled` when `signal` ends the wait. */
  async turn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#takeTurn(signal);
    try {
      return await work();
    } finally {
      this.#passTurn();
    }
  }

  async #takeTurn(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw cancelled();
    if (this.#running < this.running) {
      this.#running++;
      return;
    }
    await this.#wait(signal);
  }

  #wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(proceed), 1);
        reject(cancelled());
      };
      this.#waiting.push(proceed);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  #passTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

/** The error of a request whose client went away. */
export function cancelled(cause?: unknown): SottoError {
  return new SottoError("cancelled", "the client ended the request before it was answered", { cause });
}
