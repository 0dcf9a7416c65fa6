import type { SSEStreamingApi } from "hono/streaming";
import { findTrainingSession, type TrainingSessionRow } from "../../db/mod.ts";
import type { Services } from "../services.ts";
import { shownSummary } from "./show.ts";

/** Between two events at least; between two signs of life at most, so that nothing on the way takes the silence for an end. */
const EVENT_MS = 500;
const SILENCE_MS = 15_000;

/** Sends a session at every change until it does not run, was deleted, or the client has left. */
export async function sendSessionEvents(
  stream: SSEStreamingApi,
  services: Services,
  session: TrainingSessionRow,
): Promise<void> {
  let [sent, sentAt] = ["", Date.now()];
  let now: TrainingSessionRow | undefined = session;
  for (; now !== undefined && !stream.aborted && !services.jobs.draining; now = await again(services, now)) {
    const data = JSON.stringify(shownSummary(now, (await services.trainings.live([now])).get(now.id)));
    if (data !== sent) await stream.writeSSE({ event: "session", data });
    else if (Date.now() - sentAt > SILENCE_MS) await stream.write(": waiting\n\n");
    else continue;
    [sent, sentAt] = [data, Date.now()];
  }
}

/** The session half a second later; nothing when it did not run, or is gone. */
async function again({ database }: Services, { tenantId, id, state }: TrainingSessionRow) {
  if (state !== "running") return undefined;
  await new Promise((resolve) => setTimeout(resolve, EVENT_MS));
  return await findTrainingSession(database, tenantId, id);
}
