import type { z } from "@hono/zod-openapi";
import type { jobSchema } from "./contract.ts";
import type { Job } from "./job.ts";
import type { Jobs } from "./jobs.ts";

/** A job as its owner sees it. */
export async function shownJob(jobs: Jobs, job: Job): Promise<z.infer<typeof jobSchema>> {
  const seconds = await jobs.secondsUntilDone(job);
  return {
    id: job.id,
    model_id: job.task.model.id,
    rows: job.rowCount,
    state: job.state,
    progress: job.progress,
    estimated_seconds_left: Math.round(seconds * 10) / 10,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
    ...(job.error === undefined ? {} : { error: job.error }),
  };
}
