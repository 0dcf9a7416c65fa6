/** The resident memory of a process over time. */

/** One look. */
export interface Sample {
  /** Since the watch began. */
  readonly second: number;
  readonly bytes: number;
}

/** Looks once a second until it is disposed of. */
export class MemoryWatch implements Disposable {
  readonly samples: Sample[] = [];
  readonly #start = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(private readonly pid: number) {
    this.#timer = setInterval(() => this.#look(), 1000);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.samples.push({ second: (performance.now() - this.#start) / 1000, bytes: residentBytes(this.pid) });
  }
}

/** Resident bytes of a process at the moment. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

/** Bytes a second by least squares; 0 for fewer than two samples. */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [second, bytes] = [mean(samples.map((one) => one.second)), mean(samples.map((one) => one.bytes))];
  const spread = samples.reduce((sum, one) => sum + (one.second - second) ** 2, 0);
  const together = samples.reduce((sum, one) => sum + (one.second - second) * (one.bytes - bytes), 0);
  return spread === 0 ? 0 : together / spread;
}
