/** The HTTP application as a function of its stores and its back end. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { join } from "node:path";
import { bodyLimit } from "hono/body-limit";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { SottoError } from "./errors.ts";
import {
  addRoutes,
  answerError,
  answerProblem,
  type AppParts,
  authenticate,
  ByteBudget,
  documentationHeaders,
  Drain,
  type Env,
  Gate,
  HandleCache,
  jobComputer,
  JobFolder,
  Jobs,
  malformedRequest,
  memoryJobStore,
  requestLog,
  type Services,
  TrainingRuns,
} from "./routes/mod.ts";
import { tooLarge } from "./store/mod.ts";

export { type Log, openLog } from "./routes/mod.ts";

const JSON_BYTES_MAX = 64 * 1024;
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
  /** Trainings that ran when the last process ended are interrupted, and go on when the configuration says so. */
  recover(): Promise<void>;
  /**
   * Refuses further requests with `busy`, cancels the jobs, interrupts the trainings, and waits, at most so many seconds, for the answers of the running
   * requests.
   */
  drain(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes the application of its parts; starts nothing and listens nowhere. */
export function createApp(parts: AppParts): App {
  const services = createServices(parts);
  const drain = new Drain();
  const app = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw malformedRequest(result.error);
    },
  });
  addMiddleware(app, services, drain);
  addRoutes(app, services);
  return {
    fetch: app.fetch,
    request: app.request,
    recover: () => services.trainings.recover(parts.config.resumeTraining),
    drain: async (seconds) => {
      await Promise.all([services.jobs.close(), services.trainings.close(), drain.end(seconds)]);
    },
    close: () => closeServices(services),
  };
}

function createServices(parts: AppParts): Services {
  const { config } = parts;
  const services: Services = {
    ...parts,
    preparedKeys: new HandleCache(config.preparedKeyBytes, (keys) => keys.bytes),
    compiledModels: new HandleCache(config.compiledModels, () => 1),
    predictions: new Gate(config.concurrentPredictions, config.queuedPredictions),
    imports: new Gate(1, QUEUED_IMPORTS),
    keyChecks: new Gate(1, QUEUED_KEY_CHECKS),
    jobs: createJobs(parts, () => services),
    trainings: new TrainingRuns(() => services),
    baseGroups: new HandleCache(config.baseModelBytes, (group) => group.bytes),
    products: new Gate(config.concurrentProducts, QUEUED_PRODUCTS),
    productBytes: new ByteBudget(config.productMemoryBytes),
  };
  return services;
}

function createJobs({ config, log }: AppParts, services: () => Services): Jobs {
  const folder = new JobFolder(join(config.dataDir, "spool", "jobs"), config.jobSpoolBytes);
  return new Jobs({ config, log, store: memoryJobStore(), folder, compute: jobComputer(services) });
}

async function closeServices({ preparedKeys, compiledModels, baseGroups, jobs, trainings }: Services): Promise<void> {
  await jobs.close();
  await trainings.close();
  preparedKeys.close();
  compiledModels.close();
  baseGroups.close();
}

/** In the order in which a request passes them; files have their own limits in their routes. */
function addMiddleware(app: OpenAPIHono<Env>, { log, database }: Services, drain: Drain): void {
  app.use(requestId());
  app.use(requestLog(log));
  app.use((c, next) => (c.req.path.startsWith("/docs") ? documentationHeaders : API_HEADERS)(c, next));
  app.use((_c, next) => drain.track(next));
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      c.header("allow", methods.join(", "));
      const message = `this path takes ${methods.join(", ")}, not ${c.req.method}`;
      return answerProblem(c, new SottoError("method_not_allowed", message));
    },
  }));
  app.use("/v1/*", authenticate(database));
  app.use("/v1/*", async (c, next) => {
    await next();
    c.header("cache-control", "no-store");
  });
  app.use("/v1/tokens", bodyLimit({ maxSize: JSON_BYTES_MAX, onError: () => raise(tooLarge(JSON_BYTES_MAX)) }));
  app.onError((error, c) => answerError(error, c, log));
  app.notFound((c) => answerProblem(c, new SottoError("route_unknown", "there is nothing at this path: see /docs")));
}

function raise(error: Error): never {
  throw error;
}
