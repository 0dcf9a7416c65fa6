import type { SSEStreamingApi } from "hono/streaming";
import { isFinished, type Jobs, type WatchedJob } from "../../jobs/mod.ts";
import { shownJob } from "./show.ts";

/** Between two events at least; between two signs of life at most, so that nothing on the way takes the silence for an end. */
const EVENT_MS = 500;
const SILENCE_MS = 15_000;

/** Sends a job at every change until it has ended, was forgotten, or the client has left. */
export async function sendEvents(stream: SSEStreamingApi, jobs: Jobs, job: WatchedJob): Promise<void> {
  let [sent, sentAt] = ["", Date.now()];
  for (
    let now: WatchedJob | undefined = job;
    now !== undefined && !stream.aborted && !jobs.draining;
    now = await again(jobs, now)
  ) {
    const data = JSON.stringify(shownJob(now));
    if (data !== sent) await stream.writeSSE({ event: "job", data });
    else if (Date.now() - sentAt > SILENCE_MS) await stream.write(": waiting\n\n");
    else continue;
    [sent, sentAt] = [data, Date.now()];
  }
}

/** The job half a second later; nothing when it had ended, is gone, or cannot be asked for: its reader asks again. */
async function again(jobs: Jobs, job: WatchedJob): Promise<WatchedJob | undefined> {
  if (isFinished(job)) return undefined;
  await new Promise((resolve) => setTimeout(resolve, EVENT_MS));
  try {
    return await jobs.find(job.tenantId, job.id);
  } catch {
    return undefined;
  }
}
