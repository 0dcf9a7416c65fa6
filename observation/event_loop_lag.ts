import { Histogram, type Registry } from "prom-client";

const EVERY_MS = 250;
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** How much later than asked for a timer fires: what a blocked event loop looks like from inside. */
export class EventLoopLag {
  readonly #timer: ReturnType<typeof setInterval>;
  #expected = performance.now() + EVERY_MS;

  constructor(registry: Registry) {
    const seconds = new Histogram({
      name: "sotto_event_loop_lag_seconds",
      help: "How late a timer of 250 ms fired.",
      buckets: BUCKETS,
      registers: [registry],
    });
    this.#timer = setInterval(() => {
      const now = performance.now();
      seconds.observe(Math.max(0, now - this.#expected) / 1000);
      this.#expected = now + EVERY_MS;
    }, EVERY_MS);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
