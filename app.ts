/** The HTTP application as a function of its stores and its back end. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { insertAudit, removeAudit } from "./db/mod.ts";
import { SottoError } from "./errors.ts";
import { details, HandleCache, type JobBasis, Jobs, knownError, Queue, Worker } from "./jobs/mod.ts";
import { Metrics } from "./observation/mod.ts";
import {
  addRoutes,
  answerError,
  answerOnce,
  answerProblem,
  type AppParts,
  AuditLog,
  auditRequests,
  authenticate,
  ByteBudget,
  documentationHeaders,
  Drain,
  type Env,
  Gate,
  limitRequests,
  Limits,
  malformedRequest,
  requestLog,
  requestMetrics,
  type Services,
  TrainingRuns,
  watchServices,
} from "./routes/mod.ts";
import { ObjectCollector, tooLarge } from "./store/mod.ts";

export { openLog } from "./routes/mod.ts";

const DAY_MS = 86_400_000;
const JSON_BYTES_MAX = 64 * 1024;
/** Answered until the end, so that operators see a server stop. */
const OBSERVERS = ["/healthz", "/readyz", "/metrics"];
const QUEUED_IMPORTS = 4;
const QUEUED_KEY_CHECKS = 64;
const QUEUED_PRODUCTS = 256;

const API_HEADERS = secureHeaders({
  xFrameOptions: "DENY",
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
});

/** The application; `close` frees what it keeps between requests, not its parts. */
export interface App {
  readonly fetch: OpenAPIHono<Env>["fetch"];
  readonly request: OpenAPIHono<Env>["request"];
  readonly metrics: Metrics;
  /** Opens the queue, and begins to compute jobs unless only workers of their own do. Jobs can be added from then on. */
  start(): Promise<void>;
  /**
   * Refuses further requests with `busy`, takes no further part of a job, and waits, at most so many seconds, for the parts that compute and for the
   * answers of the running requests. What is not done by then goes back to the queue; trainings go back at once.
   */
  drain(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes the application of its parts; starts nothing and listens nowhere. */
export function createApp(parts: AppParts): App {
  const services = createServices(parts);
  watchServices(services);
  const { drain, metrics } = services;
  const app = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw malformedRequest(result.error);
    },
  });
  addMiddleware(app, services);
  addRoutes(app, services);
  return {
    fetch: app.fetch,
    request: app.request,
    metrics,
    start: () => startServices(services),
    drain: async (seconds) => {
      services.jobs.drain();
      await Promise.all([services.worker?.drain(seconds), drain.end(seconds)]);
      await services.audit.close();
    },
    close: () => closeServices(services),
  };
}

function createServices(parts: AppParts): Services {
  const { config } = parts;
  const predictions = new Gate(config.concurrentPredictions, config.queuedPredictions);
  const limits = new Limits({ ...parts, predictions });
  const basis: JobBasis = { ...parts, queue: new Queue(parts.database, parts.log) };
  const jobs = new Jobs(basis);
  const services: Services = {
    ...parts,
    limits,
    audit: createAudit(parts, limits),
    metrics: new Metrics({ tenants: config.metricsTenants }),
    drain: new Drain(),
    preparedKeys: new HandleCache(config.preparedKeyBytes, (keys) => keys.bytes),
    compiledModels: new HandleCache(config.compiledModels, () => 1),
    predictions,
    imports: new Gate(1, QUEUED_IMPORTS),
    keyChecks: new Gate(1, QUEUED_KEY_CHECKS),
    jobs,
    trainings: new TrainingRuns({ ...parts, jobs }),
    baseGroups: new HandleCache(config.baseModelBytes, (group) => group.bytes),
    products: new Gate(config.concurrentProducts, QUEUED_PRODUCTS),
    productBytes: new ByteBudget(config.productMemoryBytes),
    collector: createCollector(parts),
  };
  return config.worker ? { ...services, worker: new Worker(basis, services) } : services;
}

async function startServices({ jobs, trainings, worker, collector, config }: Services): Promise<void> {
  await jobs.start();
  await trainings.recover(config.resumeTraining);
  await worker?.start();
  collector.start();
}

function createCollector({ log, ...parts }: AppParts): ObjectCollector {
  return new ObjectCollector({
    ...parts,
    onCollected: (collected) => log.info("objects collected", { ...collected }),
    onFailure: (error) => log.error("objects not collected", details(knownError(error, "collecting objects failed"))),
  });
}

function createAudit({ config, database, log }: AppParts, limits: Limits): AuditLog {
  const tidy = async () => {
    if (config.auditDays > 0) await removeAudit(database, new Date(Date.now() - config.auditDays * DAY_MS));
    await limits.tidy();
  };
  return new AuditLog({ log, write: (rows) => insertAudit(database, rows), tidy });
}

async function closeServices(
  { preparedKeys, compiledModels, baseGroups, jobs, worker, metrics, audit, limits, collector }: Services,
): Promise<void> {
  await collector.close();
  await worker?.drain(0);
  await jobs.close();
  preparedKeys.close();
  compiledModels.close();
  baseGroups.close();
  metrics.close();
  await audit.close();
  await limits.close();
}

/** In the order in which a request passes them; files have their own limits in their routes. */
function addMiddleware(
  app: OpenAPIHono<Env>,
  { config, log, database, limits, audit, metrics, drain }: Services,
): void {
  app.use(requestId());
  app.use(requestMetrics(metrics));
  app.use(requestLog(log));
  app.use((c, next) => (c.req.path.startsWith("/docs") ? documentationHeaders : API_HEADERS)(c, next));
  app.use((c, next) => OBSERVERS.includes(c.req.path) ? next() : drain.track(next));
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      c.header("allow", methods.join(", "));
      const message = `this path takes ${methods.join(", ")}, not ${c.req.method}`;
      return answerProblem(c, new SottoError("method_not_allowed", message));
    },
  }));
  app.use("/v1/*", authenticate({ database, limits, addressHeader: config.addressHeader }));
  app.use("/v1/*", limitRequests(limits, config));
  app.use("/v1/*", auditRequests(audit));
  app.use("/v1/*", answerOnce({ database, log }));
  app.use("/v1/*", async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
  });
  app.use("/v1/tokens/*", bodyLimit({ maxSize: JSON_BYTES_MAX, onError: () => raise(tooLarge(JSON_BYTES_MAX)) }));
  app.onError((error, c) => answerError(error, c, log));
  app.notFound((c) => answerProblem(c, new SottoError("route_unknown", "there is nothing at this path: see /docs")));
}

function raise(error: Error): never {
  throw error;
}
