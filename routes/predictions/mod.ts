import type { OpenAPIHono } from "@hono/zod-openapi";
import { join } from "node:path";
import { capabilitiesOf } from "../../circuits/description.ts";
import type { FileStream } from "../../circuits/wire.ts";
import { findModel, type JobPriority } from "../../db/mod.ts";
import {
  type CompiledModel,
  details,
  evaluateRows,
  knownError,
  leaseKeyRing,
  leaseModel,
  openRows,
  plannedSeconds,
  type PredictionTask,
  requireStillThere,
  unknownModel,
  type WatchedJob,
} from "../../jobs/mod.ts";
import { bodyStream } from "../body.ts";
import { cancelled } from "../gate.ts";
import { shownJob } from "../jobs/show.ts";
import { findKeyRows } from "../keys/find_keys.ts";
import type { Env, Services } from "../services.ts";
import { AnswerSpool } from "./answer_spool.ts";
import { wantsJob } from "../prefer.ts";
import { makePredictions } from "./contract.ts";

/** One request, as far as it is known before its body is read. */
interface PredictionRequest {
  readonly task: PredictionTask;
  readonly body: ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
  readonly wantsJob: boolean;
  readonly priority: JobPriority;
  readonly idempotencyKey?: string;
}

/** A complete answers file, or the job that will make it. */
type Outcome = { readonly spool: AnswerSpool; readonly serverMs: number } | { readonly job: WatchedJob };

/** Adds the route of predictions. */
export function addPredictionRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { maxPredictionBytes: maxBytes, uploadIdleSeconds: idleSeconds } = services.config;
  app.openapi(makePredictions, async (c) => {
    const { key, priority } = c.req.valid("query");
    const caller = c.get("caller");
    // Admitted before anything is looked up: a request that is refused costs next to nothing.
    const outcome = await services.limits.prediction(caller, async () =>
      answer(services, {
        idempotencyKey: c.get("idempotencyKey"),
        task: await findTask(services, caller.tenantId, c.req.valid("param").id, key),
        body: bodyStream(c, { maxBytes, idleSeconds }),
        signal: c.req.raw.signal,
        wantsJob: wantsJob(c.req.header("prefer")),
        priority,
      }));
    if ("job" in outcome) {
      if (c.get("idempotencyKey") === undefined) stopUnheard(services, outcome.job, c.req.raw.signal);
      if (wantsJob(c.req.header("prefer"))) c.header("preference-applied", "respond-async");
      return c.json(shownJob(outcome.job), 202, { location: `/v1/jobs/${outcome.job.id}` });
    }
    return c.body(await outcome.spool.readable(), 200, {
      "content-type": "application/octet-stream",
      "content-length": String(outcome.spool.bytes),
      "sotto-server-ms": outcome.serverMs.toFixed(3),
    });
  });
}

/** A sender that goes away before it is told of its job cannot ask for it, unless it gave it a key: nothing is computed for nobody. */
function stopUnheard({ jobs, log }: Services, { tenantId, id }: WatchedJob, signal: AbortSignal): void {
  const stop = () => {
    jobs.stop(tenantId, id, "its sender went away before it was told of the job")
      .catch((error) => log.warn("job not stopped", { job: id, ...details(knownError(error, "stopping failed")) }));
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
}

async function findTask(
  services: Services,
  tenantId: string,
  id: string,
  key: string | undefined,
): Promise<PredictionTask> {
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
      ? { job: await makeJob(services, request, model.value, rows) }
      : await answerNow(services, request, model.value, rows);
  } catch (error) {
    if (signal.aborted) throw cancelled(error);
    await requireStillThere(services, task, error);
    throw error;
  }
}

async function makeJob(
  { jobs, backend }: Services,
  { task, priority, idempotencyKey }: PredictionRequest,
  model: CompiledModel,
  rows: FileStream,
): Promise<WatchedJob> {
  const { id, tenantId } = await jobs.addPrediction({
    task,
    model,
    rows,
    priority,
    idempotencyKey,
    threads: backend.threads,
  });
  return await jobs.find(tenantId, id);
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
    const serverMs = await evaluateRows(services, rows, spool, {
      kind: "request",
      tenant: task.model.tenantId,
      model,
      keys: keys.value,
      signal,
    });
    return { spool, serverMs };
  } catch (error) {
    spool.discard();
    await rows.cancel();
    throw error;
  }
}
