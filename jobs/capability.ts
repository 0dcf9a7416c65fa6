/** Which workers compute a job: those with GPUs where there are any, all others otherwise. */
import {
  changeJob,
  countWorkers,
  type Database,
  type JobKind,
  listJobParts,
  listUnfinishedJobs,
  lockJob,
} from "../db/mod.ts";
import type { JobBasis } from "./job_basis.ts";
import { changing, isFinished } from "./job_state.ts";
import { LOST_MS, sendAgain } from "./part_state.ts";
import type { WorkerCapability } from "./queue_names.ts";

/** A worker that was not seen for so long does not count. */
export const WORKER_LOST_MS = 15_000;

/** What kinds of jobs gain by GPUs. */
const ON_GPUS: readonly JobKind[] = ["prediction", "training"];

/** What a new job asks of its worker. */
export async function chooseCapability(database: Database, kind: JobKind): Promise<WorkerCapability> {
  if (!ON_GPUS.includes(kind)) return "cpu";
  return await countWorkers(database, "cuda", seenSince()) > 0 ? "cuda" : "cpu";
}

/** Jobs that wait for GPUs go to the other workers when no worker with GPUs is left. */
export async function leaveGpus(basis: JobBasis): Promise<void> {
  const waiting: string[] = [];
  for (const kind of ON_GPUS) {
    for (const { id, capability } of await listUnfinishedJobs(basis.database, kind)) {
      if (capability === "cuda") waiting.push(id);
    }
  }
  if (waiting.length === 0 || await countWorkers(basis.database, "cuda", seenSince()) > 0) return;
  for (const id of waiting) await leave(basis, id);
}

function leave(basis: JobBasis, id: string): Promise<void> {
  return changing(basis, async (inside) => {
    const job = await lockJob(inside, id);
    if (job === undefined || isFinished(job)) return;
    await changeJob(inside, id, { capability: "cpu" });
    const heardBefore = Date.now() - LOST_MS;
    for (const part of await listJobParts(inside, id, ["queued", "running"])) {
      if (part.state === "running" && part.changedAt.getTime() >= heardBefore) continue;
      await sendAgain(basis, inside, { ...job, capability: "cpu" }, part);
    }
    basis.log.warn("job leaves the GPUs", { job: id, why: "no worker with GPUs is left" });
  });
}

function seenSince(): Date {
  return new Date(Date.now() - WORKER_LOST_MS);
}
