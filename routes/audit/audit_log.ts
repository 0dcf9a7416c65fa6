import type { NewAuditRow } from "../../db/mod.ts";
import type { Log } from "../../jobs/mod.ts";

const FLUSH_MS = 100;
const RETRY_MS = 1000;
const ROWS_A_QUERY = 500;
const ROWS_WAITING_MAX = 10_000;
const TIDY_MS = 3_600_000;

/** What the log is kept with. */
export interface AuditParts {
  readonly log: Log;
  /** Appends rows, all or none. */
  readonly write: (rows: readonly NewAuditRow[]) => Promise<void>;
  /** Removes what is too old; called about once an hour while rows come. */
  readonly tidy: () => Promise<void>;
}

/**
 * Writes the audit log in batches, within a tenth of a second. Rows that the database does not take wait and are sent again; when too many wait, requests
 * wait, too. Rows are lost when the process is killed within that tenth, or when the database is still away at the end; the latter are logged.
 */
export class AuditLog {
  readonly #waiting: NewAuditRow[] = [];
  #writing: Promise<void> | undefined;
  #tidied = 0;
  #closing = false;

  constructor(private readonly parts: AuditParts) {}

  /** Takes a row; settles at once unless too many rows wait. */
  async record(row: NewAuditRow): Promise<void> {
    this.#waiting.push(row);
    this.#writing ??= this.#write();
    while (this.#waiting.length > ROWS_WAITING_MAX && this.#writing !== undefined) await this.#writing;
  }

  /** Writes what waits; what the database does not take now goes to the log of the process. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#writing;
    await this.#send().catch(() => undefined);
    for (const row of this.#waiting.splice(0)) this.parts.log.error("audit row not written", { ...row });
  }

  async #write(): Promise<void> {
    await this.#pause(FLUSH_MS);
    try {
      await this.#send();
      await this.#tidy();
    } catch (error) {
      this.parts.log.warn("audit rows wait for the database", {
        rows: this.#waiting.length,
        reason: String((error as Error).cause ?? error),
      });
      await this.#pause(RETRY_MS);
    }
    this.#writing = this.#waiting.length > 0 && !this.#closing ? this.#write() : undefined;
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const rows = this.#waiting.slice(0, ROWS_A_QUERY);
      await this.parts.write(rows);
      this.#waiting.splice(0, rows.length);
    }
  }

  async #tidy(): Promise<void> {
    const now = Date.now();
    if (now - this.#tidied < TIDY_MS) return;
    this.#tidied = now;
    await this.parts.tidy();
  }

  async #pause(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!this.#closing && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
  }
}
