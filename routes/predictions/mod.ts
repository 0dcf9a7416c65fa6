import type { OpenAPIHono } from "@hono/zod-openapi";
import { join } from "node:path";
import { capabilitiesOf } from "../../circuits/description.ts";
import { expectedLength, type FileStream } from "../../circuits/wire.ts";
import { findModel } from "../../db/mod.ts";
import { bodyStream } from "../body.ts";
import { cancelled } from "../gate.ts";
import type { Job, JobTask } from "../jobs/job.ts";
import { shownJob } from "../jobs/show.ts";
import { findKeyRows } from "../keys/find_keys.ts";
import { leaseKeyRing } from "../keys/lease_keys.ts";
import type { CompiledModel } from "../models/compiled_model.ts";
import { unknownModel } from "../models/mod.ts";
import { leaseModel } from "../models/lease_model.ts";
import type { Env, Services } from "../services.ts";
import { AnswerSpool } from "./answer_spool.ts";
import { plannedSeconds } from "./chunks.ts";
import { makePredictions, wantsJob } from "./contract.ts";
import { evaluateRows } from "./evaluate_rows.ts";
import { answersHeader, openRows } from "./open_rows.ts";
import { requireStillThere } from "./still_there.ts";

export { jobComputer } from "./compute_job.ts";

/** One request, as far as it is known before its body is read. */
interface PredictionRequest {
  readonly task: JobTask;
  readonly body: ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
  readonly wantsJob: boolean;
}

/** A complete answers file, or the job that will make it. */
type Outcome = { readonly spool: AnswerSpool; readonly serverMs: number } | { readonly job: Job };

/** Adds the route of predictions. */
export function addPredictionRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { maxPredictionBytes: maxBytes, uploadIdleSeconds: idleSeconds } = services.config;
  app.openapi(makePredictions, async (c) => {
    const task = await findTask(services, c.get("caller").tenantId, c.req.valid("param").id, c.req.valid("query").key);
    const body = bodyStream(c, { maxBytes, idleSeconds });
    const request = { task, body, signal: c.req.raw.signal, wantsJob: wantsJob(c.req.header("prefer")) };
    const outcome = await services.predictions.admit(() => answer(services, request));
    if ("job" in outcome) {
      if (request.wantsJob) c.header("preference-applied", "respond-async");
      return c.json(await shownJob(services.jobs, outcome.job), 202, { location: `/v1/jobs/${outcome.job.id}` });
    }
    return c.body(await outcome.spool.readable(), 200, {
      "content-type": "application/octet-stream",
      "content-length": String(outcome.spool.bytes),
      "sotto-server-ms": outcome.serverMs.toFixed(3),
    });
  });
}

async function findTask(services: Services, tenantId: string, id: string, key: string | undefined): Promise<JobTask> {
  const model = await findModel(services.database, tenantId, id);
  if (model === undefined) throw unknownModel();
  return { model, keyRows: await findKeyRows(services, tenantId, capabilitiesOf(model.description), key) };
}

async function answer(services: Services, request: PredictionRequest): Promise<Outcome> {
  const { task, body, signal } = request;
  try {
    using model = await leaseModel(services, task.model);
    const owner = { modelId: task.model.id, model: model.value, keyId: task.keyRows[0]?.keyId };
    const rows = await openRows(services, owner, body);
    const seconds = plannedSeconds(model.value, rows.header.rowCount, services.backend.threads);
    return request.wantsJob || seconds > services.config.synchronousSeconds
      ? { job: await makeJob(services, request, model.value, rows, seconds) }
      : await answerNow(services, request, model.value, rows);
  } catch (error) {
    if (signal.aborted) throw cancelled(error);
    await requireStillThere(services, task, error);
    throw error;
  }
}

function makeJob(
  { jobs }: Services,
  { task }: PredictionRequest,
  model: CompiledModel,
  rows: FileStream,
  seconds: number,
): Promise<Job> {
  const answerBytes = expectedLength(answersHeader(rows.header, model));
  return jobs.submit({ tenantId: task.model.tenantId, task, plannedSeconds: seconds, answerBytes }, rows);
}

/**
 * The answers are handed out only after the file's digest was found right. A client that goes away is noticed by its body ending
 * early; once the whole body lies in the connection's buffers the rest of it may still be evaluated.
 */
async function answerNow(
  services: Services,
  { task, signal }: PredictionRequest,
  model: CompiledModel,
  rows: FileStream,
): Promise<Outcome> {
  const { dataDir, answerMemoryBytes } = services.config;
  const spool = new AnswerSpool(join(dataDir, "spool"), answerMemoryBytes);
  try {
    using keys = await leaseKeyRing(services, task.keyRows);
    const serverMs = await evaluateRows(services, rows, spool, { model, keys: keys.value, signal });
    return { spool, serverMs };
  } catch (error) {
    spool.discard();
    await rows.cancel();
    throw error;
  }
}
