/** What the demo prints: a line a step, and the summary. */
import type { Context } from "./context.ts";

/** What `--json` writes. Bytes and milliseconds of the server are a row's share. */
export interface Summary {
  readonly rows: number;
  /** Share of rows whose label (regression: value) is the clear model's. */
  readonly agreement: number;
  readonly server_ms_per_row: number;
  readonly upload_bytes_per_row: number;
  readonly answer_bytes_per_row: number;
  readonly key_bytes: number;
  readonly keygen_ms: number;
  /** Threads that the server computed with. */
  readonly cores: number;
  readonly largest_score_difference: number;
}

/** Prints steps as they end, with their time and what came of them. */
export class DemoReport {
  constructor(private readonly context: Context) {}

  /** Runs one step and prints its line. */
  async step<T>(what: string, action: () => T | Promise<T>, result: (value: T) => string = () => ""): Promise<T> {
    const start = performance.now();
    const value = await this.watched(what, action);
    this.line(what, performance.now() - start, result(value));
    return value;
  }

  /** On a terminal the step is shown while it runs. */
  private async watched<T>(what: string, action: () => T | Promise<T>): Promise<T> {
    if (this.context.isTerminal) this.context.err(`       ...  ${what}`);
    try {
      return await action();
    } finally {
      if (this.context.isTerminal) this.context.err("\r\x1b[K");
    }
  }

  /** Prints the line of a step that took `ms` milliseconds. */
  line(what: string, ms: number, result: string): void {
    this.context.out(`${ms.toFixed(0).padStart(7)} ms  ${what}${result === "" ? "" : `: ${result}`}\n`);
  }

  /** The last line. */
  finish(summary: Summary): void {
    const { rows, agreement, server_ms_per_row, upload_bytes_per_row, answer_bytes_per_row, key_bytes, cores } =
      summary;
    this.context.out(
      `${rows} encrypted rows, agreement ${(100 * agreement).toFixed(2)} %, server ${
        server_ms_per_row.toFixed(3)
      } ms a row on ` +
        `${cores} cores, ${Math.round(upload_bytes_per_row)} bytes up and ${
          Math.round(answer_bytes_per_row)
        } bytes down a row, ` +
        `evaluation keys ${key_bytes} bytes\n`,
    );
  }
}
