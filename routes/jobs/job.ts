/** A prediction that is answered later. */
import type { EvaluationKeysRow, ModelRow } from "../../db/mod.ts";
import type { ErrorCode } from "../../errors.ts";

export const JOB_STATES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type JobState = typeof JOB_STATES[number];

/** What a job computes: one model on the rows of its file, under keys of one key pair. */
export interface JobTask {
  readonly model: ModelRow;
  readonly keyRows: readonly EvaluationKeysRow[];
}

/** One job; its files lie in a `JobFolder` under its id. */
export interface Job {
  readonly id: string;
  readonly tenantId: string;
  readonly task: JobTask;
  readonly rowCount: number;
  /** What the plan of the model says, for the whole job. */
  readonly plannedSeconds: number;
  readonly state: JobState;
  /** Share done, between 0 and 1. */
  readonly progress: number;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  /** Of jobs that failed or were cancelled; `detail` is for the caller. */
  readonly error?: { readonly code: ErrorCode; readonly detail: string };
  /** Of jobs that succeeded: time of the back end. */
  readonly serverMs?: number;
}

/** True for a state that never changes. */
export function isFinished({ state }: Pick<Job, "state">): boolean {
  return state !== "queued" && state !== "running";
}

/** Share from which on a job's own pace tells more than its plan. */
const PACE_SHARE = 0.02;

/** Seconds that a job still computes, by its own pace, or by its plan while it has none; without the jobs before it. */
export function secondsLeft(job: Job, now: Date): number {
  if (isFinished(job)) return 0;
  const planned = job.plannedSeconds * (1 - job.progress);
  if (job.startedAt === undefined || job.progress < PACE_SHARE) return planned;
  return (now.getTime() - job.startedAt.getTime()) / 1000 * (1 - job.progress) / job.progress;
}
