/** One attempt of this process at a part: tells the database how far it is, and learns there that it is to stop. */
import { type Database, inTransaction, lockLease, reportProgress, type StoredLive } from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import type { JobBasis } from "./job_basis.ts";
import { details, knownError } from "./log.ts";
import type { Claim } from "./part_state.ts";

/** Why an attempt ends early: its job is to stop, another attempt has begun, or its worker stops. */
export type EndReason = "stopped" | "lost" | "drained";

/** Between two reports. */
const REPORT_MS = 500;
/** A training run computes so long before other runs may have their turn. */
const SLICE_MS = 600_000;

export class Attempt {
  readonly #abort = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #reason: EndReason | undefined;
  #stopRequested = false;
  readonly #sliceEnd = Date.now() + SLICE_MS;
  #progress = 0;
  #live: StoredLive | null;
  #reporting: Promise<void> | undefined;

  constructor(private readonly basis: JobBasis, readonly claim: Claim) {
    this.#live = claim.part.live;
    this.#timer = setInterval(() => void this.report(), REPORT_MS);
  }

  /** Ends what computes: see `reason`. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Set once the signal is aborted. */
  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Its job is to stop. */
  get stopRequested(): boolean {
    return this.#stopRequested;
  }

  /** A training run is to end after the step that computes: for good, or because others wait. */
  get stopping(): boolean {
    return this.#stopRequested || Date.now() > this.#sliceEnd;
  }

  /** Notes how far the part is; the database hears of it with the next report. */
  note(progress: number, live?: StoredLive): void {
    this.#progress = progress;
    if (live !== undefined) this.#live = live;
  }

  /** Gives the part back: the worker stops. */
  drain(): void {
    this.#end("drained");
  }

  /** Ends the reports; settles when the last one has. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reporting;
  }

  /** Writes in a transaction that holds the lease. Throws `cancelled` when it is lost. */
  whileLeased<T>(work: (inside: Database) => Promise<T>): Promise<T> {
    return inTransaction(this.basis.database, async (inside) => {
      if (await lockLease(inside, this.claim.lease)) return await work(inside);
      this.#end("lost");
      throw new SottoError("cancelled", "another attempt at this part has begun");
    });
  }

  /** One report at a time; a database that does not answer is asked again. */
  report(): Promise<void> {
    return this.#reporting ??= this.#report().finally(() => this.#reporting = undefined);
  }

  async #report(): Promise<void> {
    const { database, log } = this.basis;
    try {
      const report = { progress: this.#progress, live: this.#live };
      const found = await reportProgress(database, this.claim.lease, report);
      if (found === undefined) this.#end("lost");
      else if (found.stopRequestedAt !== null) this.#stop();
    } catch (error) {
      log.warn("progress not reported", { job: this.claim.job.id, ...details(knownError(error, "reporting failed")) });
    }
  }

  #stop(): void {
    this.#stopRequested = true;
    if (this.claim.job.kind !== "training") this.#end("stopped");
  }

  #end(reason: EndReason): void {
    this.#reason ??= reason;
    this.#abort.abort(new SottoError("cancelled", "the part is not to be computed any more"));
  }
}
