import type { JobProgress, JobRow } from "../db/mod.ts";
import { isFinished } from "./job_state.ts";

/** Share from which on a job's own pace tells more than its plan. */
const PACE_SHARE = 0.02;

/** Who else there is. */
export interface Surroundings {
  /** Workers that can compute the job. */
  readonly workers: number;
  /** Planned seconds of others' parts that come first. */
  readonly secondsBefore: number;
}

/** Seconds until a job is done: by its own pace, or by its plan while it has none, and shared by the workers. */
export function secondsUntilDone(
  job: Pick<JobRow, "state" | "startedAt">,
  { progress, secondsLeft, parts, done }: Pick<JobProgress, "progress" | "secondsLeft" | "parts" | "done">,
  { workers, secondsBefore }: Surroundings,
  now: Date,
): number {
  if (isFinished(job)) return 0;
  if (job.startedAt !== null && progress >= PACE_SHARE) {
    return (now.getTime() - job.startedAt.getTime()) / 1000 * (1 - progress) / progress;
  }
  const together = Math.max(1, workers);
  return secondsBefore / together + secondsLeft / Math.min(together, Math.max(1, parts - done));
}
