import type { OpenAPIHono } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import type { Env, Services } from "../services.ts";
import { fetchAnswers, followJob, removeJob, showJob } from "./contract.ts";
import { sendEvents } from "./send_events.ts";
import { shownJob } from "./show.ts";

export { JobFolder } from "./job_folder.ts";
export { memoryJobStore } from "./job_store.ts";
export { Jobs } from "./jobs.ts";

/** Adds the routes of jobs; they begin with a prediction that takes long. */
export function addJobRoutes(app: OpenAPIHono<Env>, { jobs }: Services): void {
  app.openapi(showJob, async (c) => {
    const job = await jobs.find(c.get("caller").tenantId, c.req.valid("param").id);
    return c.json(await shownJob(jobs, job), 200);
  });
  app.openapi(followJob, async (c) => {
    const job = await jobs.find(c.get("caller").tenantId, c.req.valid("param").id);
    return streamSSE(c, (stream) => sendEvents(stream, jobs, job));
  });
  app.openapi(fetchAnswers, async (c) => {
    const { stream, bytes, serverMs } = await jobs.answers(c.get("caller").tenantId, c.req.valid("param").id);
    return c.body(stream, 200, {
      "content-type": "application/octet-stream",
      "content-length": String(bytes),
      "sotto-server-ms": serverMs.toFixed(3),
    });
  });
  app.openapi(removeJob, async (c) => {
    await jobs.remove(c.get("caller").tenantId, c.req.valid("param").id);
    return c.body(null, 204);
  });
}
