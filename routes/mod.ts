/** The door of the routes: one folder a group, added here. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { addDocumentationRoutes, documentationHeaders } from "./documentation/mod.ts";
import { addFineTuningRoutes, ByteBudget } from "./finetune/mod.ts";
import { addHealthRoutes } from "./health/mod.ts";
import { addJobRoutes, JobFolder, Jobs, memoryJobStore } from "./jobs/mod.ts";
import { addKeyRoutes } from "./keys/mod.ts";
import { addModelRoutes } from "./models/mod.ts";
import { addPredictionRoutes, jobComputer } from "./predictions/mod.ts";
import type { Env, Services } from "./services.ts";
import { addTokenRoutes } from "./tokens/mod.ts";
import { addTrainingRoutes, TrainingRuns } from "./training/mod.ts";

export { ByteBudget, documentationHeaders, jobComputer, JobFolder, Jobs, memoryJobStore, TrainingRuns };
export { authenticate } from "./authentication.ts";
export { Drain } from "./drain.ts";
export { Gate } from "./gate.ts";
export { HandleCache } from "./handle_cache.ts";
export { openLog } from "./open_log.ts";
export { answerError, answerProblem, malformedRequest } from "./problem.ts";
export { requestLog } from "./request_log.ts";
export type { AppParts, Env, Log, Services } from "./services.ts";

/** Adds every route. */
export function addRoutes(app: OpenAPIHono<Env>, services: Services): void {
  addHealthRoutes(app, services);
  addDocumentationRoutes(app);
  addKeyRoutes(app, services);
  addModelRoutes(app, services);
  addPredictionRoutes(app, services);
  addJobRoutes(app, services);
  addTrainingRoutes(app, services);
  addFineTuningRoutes(app, services);
  addTokenRoutes(app, services);
}
