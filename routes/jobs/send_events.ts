import type { SSEStreamingApi } from "hono/streaming";
import { isSottoError } from "../../errors.ts";
import { isFinished, type Job } from "./job.ts";
import type { Jobs } from "./jobs.ts";
import { shownJob } from "./show.ts";

/** Between two events at least; between two signs of life at most, so that nothing on the way takes the silence for an end. */
const EVENT_MS = 500;
const SILENCE_MS = 15_000;

/** Sends a job at every change until it has ended, was forgotten, or the client has left. */
export async function sendEvents(stream: SSEStreamingApi, jobs: Jobs, job: Job): Promise<void> {
  let [sent, sentAt] = ["", Date.now()];
  for (let now: Job | undefined = job; now !== undefined && !stream.aborted; now = await again(jobs, now)) {
    const data = JSON.stringify(await shownJob(jobs, now));
    if (data !== sent) await stream.writeSSE({ event: "job", data });
    else if (Date.now() - sentAt > SILENCE_MS) await stream.write(": waiting\n\n");
    else continue;
    [sent, sentAt] = [data, Date.now()];
  }
}

/** The job half a second later; nothing when it had ended, or is gone. */
async function again(jobs: Jobs, job: Job): Promise<Job | undefined> {
  if (isFinished(job)) return undefined;
  await new Promise((resolve) => setTimeout(resolve, EVENT_MS));
  try {
    return await jobs.find(job.tenantId, job.id);
  } catch (error) {
    if (isSottoError(error)) return undefined;
    throw error;
  }
}
