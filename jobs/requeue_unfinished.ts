import { type Database, JOB_KINDS, listJobParts, listUnfinishedJobs } from "../db/mod.ts";
import type { JobBasis } from "./job_basis.ts";
import { requeue } from "./part_state.ts";

/**
 * Gives every part that waits or computed a new message: the queue of a database that was restored is empty. Runs in the transaction of
 * `inside`; the queue must have been started before.
 */
export async function requeueUnfinished(basis: JobBasis, inside: Database): Promise<void> {
  const jobs = [];
  for (const kind of JOB_KINDS) jobs.push(...await listUnfinishedJobs(inside, kind));
  for (const job of jobs) {
    for (const part of await listJobParts(inside, job.id, ["queued", "running"])) {
      await requeue(basis, inside, job, part, leaveToCollection);
    }
  }
}

/** Objects that nobody names any more are removed with all others. */
function leaveToCollection(): void {}
