import type { OpenAPIHono } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import type { JobKind, Scope } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Env, Services } from "../services.ts";
import { fetchAnswers, followJob, removeJob, showJob, showJobs } from "./contract.ts";
import { cursorAfter, readCursor } from "./cursor.ts";
import { sendEvents } from "./send_events.ts";
import { shownJob } from "./show.ts";

/** Adds the routes of jobs; they begin with a prediction that takes long, a training run, or an import that nobody waits for. */
export function addJobRoutes(app: OpenAPIHono<Env>, { jobs }: Services): void {
  app.openapi(showJobs, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const found = await jobs.list(c.get("caller").tenantId, { limit: limit + 1, after: readCursor(cursor) });
    const page = found.slice(0, limit);
    return c.json({ jobs: page.map(shownJob), next: found.length > limit ? cursorAfter(page[limit - 1]) : null }, 200);
  });
  app.openapi(showJob, async (c) => {
    return c.json(shownJob(await jobs.find(c.get("caller").tenantId, c.req.valid("param").id)), 200);
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
    const { tenantId, scopes } = c.get("caller");
    const { id } = c.req.valid("param");
    requireScopeOf((await jobs.find(tenantId, id)).kind, scopes);
    await jobs.remove(tenantId, id);
    return c.body(null, 204);
  });
}

const SCOPES: Readonly<Record<JobKind, Scope>> = { prediction: "predict", training: "train", import: "admin" };

/** Who may not begin a job may not end it. */
function requireScopeOf(kind: JobKind, scopes: readonly Scope[]): void {
  const scope = SCOPES[kind];
  if (scopes.includes(scope) || scopes.includes("admin")) return;
  throw new SottoError("scope_missing", `this needs a token with the scope ${scope}: ask for one`);
}
