/** What a job may be in, and how it ends. */
import {
  cancelJobParts,
  changeJob,
  changeTrainingSession,
  type Database,
  dropJobObjects,
  inTransaction,
  type JobRow,
  type StoredError,
  sumServerMs,
  type TrainingState,
} from "../db/mod.ts";
import type { JobBasis } from "./job_basis.ts";
import { details, knownError } from "./log.ts";
import { releaseObject } from "../store/mod.ts";

/** How a job ends. */
export interface JobEnd {
  readonly state: "succeeded" | "failed" | "cancelled";
  /** Of jobs that failed or were cancelled. */
  readonly error?: StoredError;
  /** Of jobs that made something with an id. */
  readonly result?: string;
  /** Of training runs: what becomes of the session; by default paused when cancelled, and failed when failed. */
  readonly session?: TrainingState;
}

const MINUTE_MS = 60_000;

/** True for a state that never changes. */
export function isFinished({ state }: Pick<JobRow, "state">): boolean {
  return state !== "queued" && state !== "running";
}

/** The error of a cancelled job. */
export function cancelledBy(reason: string): StoredError {
  return { code: "cancelled", detail: `the job was cancelled: ${reason}` };
}

/** Runs `work` in a transaction; the objects that it gives to `release` are removed after it. */
export async function changing<T>(
  basis: JobBasis,
  work: (inside: Database, release: (objects: readonly string[]) => void) => Promise<T>,
): Promise<T> {
  const released: string[] = [];
  const result = await inTransaction(basis.database, (inside) => {
    released.length = 0;
    return work(inside, (objects) => released.push(...objects));
  });
  for (const object of released) await removeObject(basis, object);
  return result;
}

/** What cannot be removed now is removed with all else that no row names. */
async function removeObject(basis: JobBasis, object: string): Promise<void> {
  try {
    await releaseObject(basis, object);
  } catch (error) {
    basis.log.warn("object not removed", { object, ...details(knownError(error, "the store failed")) });
  }
}

/** Ends a locked, unfinished job; parts that still compute lose their leases. */
export async function endJob(
  { config, log }: JobBasis,
  inside: Database,
  job: JobRow,
  end: JobEnd,
  release: (objects: readonly string[]) => void,
): Promise<void> {
  await cancelJobParts(inside, job.id, ["queued", "running"]);
  release(await dropJobObjects(inside, job.id, end.state !== "succeeded"));
  const finishedAt = new Date();
  const serverMs = end.state === "succeeded" ? await sumServerMs(inside, job.id) : null;
  await changeJob(inside, job.id, {
    state: end.state,
    error: end.error ?? null,
    result: end.result ?? null,
    serverMs,
    finishedAt,
    expiresAt: new Date(finishedAt.getTime() + config.jobRetentionMinutes * MINUTE_MS),
  });
  if (job.kind === "training" && job.subject !== null) await endRun(inside, job.subject, end);
  const { id, tenantId, kind } = job;
  log.info("job ended", { job: id, tenant: tenantId, kind, state: end.state, server_ms: serverMs, error: end.error });
}

async function endRun(inside: Database, session: string, { state, error, session: wanted }: JobEnd): Promise<void> {
  const becomes = wanted ?? (state === "failed" ? "failed" : "paused");
  const failure = becomes === "failed" ? error?.detail ?? null : null;
  await changeTrainingSession(inside, session, ["running"], { state: becomes, failure });
}
