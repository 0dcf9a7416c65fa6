import type { z } from "@hono/zod-openapi";
import type { WatchedJob } from "../../jobs/mod.ts";
import type { jobSchema } from "./contract.ts";

/** A job as its owner sees it. */
export function shownJob(job: WatchedJob): z.infer<typeof jobSchema> {
  const { progress } = job;
  return {
    id: job.id,
    kind: job.kind,
    ...(job.kind === "prediction" && job.subject !== null ? { model_id: job.subject } : {}),
    ...(job.kind === "training" && job.subject !== null ? { session_id: job.subject } : {}),
    priority: job.priority,
    rows: job.rows,
    parts: { done: progress.done, total: progress.parts },
    attempts: progress.attempts,
    state: job.state,
    progress: progress.progress,
    estimated_seconds_left: Math.round(job.secondsLeft * 10) / 10,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
    ...(job.result === null ? {} : { result: job.result }),
    ...(job.error === null ? {} : { error: job.error }),
  };
}
