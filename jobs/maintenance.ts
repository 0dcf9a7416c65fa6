/** What every process does for all jobs, however many of them do it: buries the dead, forgets the old, finds the stuck. */
import {
  deleteJob,
  deleteLostWorkers,
  listExpiredJobs,
  listRunningParts,
  listStrandedParts,
  lockJob,
  removeIdempotencyKeys,
} from "../db/mod.ts";
import { leaveGpus } from "./capability.ts";
import type { JobBasis } from "./job_basis.ts";
import { changing } from "./job_state.ts";
import { details, knownError } from "./log.ts";
import { buryPart, requeue } from "./part_state.ts";
import { DEAD_QUEUE } from "./queue_names.ts";

const [INTERVAL_MS, EXPIRED_AT_ONCE] = [2000, 100];
/** A part whose message is gone for so long is stuck: it gets a new one. */
const STRANDED_MS = 30_000;
const WORKER_FORGOTTEN_MS = 24 * 3_600_000;

export class Maintenance {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly basis: JobBasis) {}

  /** Begins; what an embedded database's process before this one computed is queued again, for nobody else can hold it. */
  async start(): Promise<void> {
    if (this.basis.database.connection.kind === "embedded") await requeueAll(this.basis);
    await this.basis.queue.work(DEAD_QUEUE, (message) => buryPart(this.basis, message));
    this.#next();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #next(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#turn().finally(() => this.#next());
    }, INTERVAL_MS);
  }

  async #turn(): Promise<void> {
    const { database, log } = this.basis;
    try {
      const now = Date.now();
      for (const { id } of await listExpiredJobs(database, new Date(now), EXPIRED_AT_ONCE)) {
        await forgetJob(this.basis, id);
      }
      await leaveGpus(this.basis);
      await requeueStranded(this.basis, new Date(now - STRANDED_MS));
      await removeIdempotencyKeys(database, new Date(now));
      await deleteLostWorkers(database, new Date(now - WORKER_FORGOTTEN_MS));
    } catch (error) {
      log.warn("jobs not looked after", details(knownError(error, "looking after the jobs failed")));
    }
  }
}

/** Deletes a job with its answers. */
export function forgetJob(basis: JobBasis, id: string): Promise<void> {
  return changing(basis, async (inside, release) => release(await deleteJob(inside, id)));
}

async function requeueAll(basis: JobBasis): Promise<void> {
  for (const { job: { id }, part } of await listRunningParts(basis.database)) {
    await changing(basis, async (inside, release) => {
      const job = await lockJob(inside, id);
      if (job !== undefined) await requeue(basis, inside, job, part, release);
    });
    basis.log.warn("part queued again", { job: id, part: part.number, why: "its process ended" });
  }
}

/** Parts without a living message come from a restored backup, or from a message that somebody deleted by hand. */
export async function requeueStranded(basis: JobBasis, changedBefore: Date): Promise<void> {
  for (const { job, part } of await listStrandedParts(basis.database, changedBefore)) {
    await changing(basis, async (inside, release) => {
      const locked = await lockJob(inside, job.id);
      const [still] = await listStrandedParts(inside, changedBefore, part);
      if (locked !== undefined && still !== undefined) await requeue(basis, inside, locked, part, release);
    });
    basis.log.warn("part queued again", { job: job.id, part: part.number, why: "its message is gone" });
  }
}
