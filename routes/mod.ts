/** The door of the routes: one folder a group, added here. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { addAuditRoutes } from "./audit/mod.ts";
import { addDocumentationRoutes, documentationHeaders } from "./documentation/mod.ts";
import { addFineTuningRoutes, ByteBudget } from "./finetune/mod.ts";
import { addHealthRoutes } from "./health/mod.ts";
import { addJobRoutes } from "./jobs/mod.ts";
import { addMetricsRoute, requestMetrics, watchServices } from "./metrics/mod.ts";
import { addKeyRoutes } from "./keys/mod.ts";
import { addModelRoutes } from "./models/mod.ts";
import { addPredictionRoutes } from "./predictions/mod.ts";
import type { Env, Services } from "./services.ts";
import { addTenantRoutes } from "./tenants/mod.ts";
import { addTokenRoutes } from "./tokens/mod.ts";
import { addTrainingRoutes, TrainingRuns } from "./training/mod.ts";

export { ByteBudget, documentationHeaders, TrainingRuns };
export { AuditLog } from "./audit/audit_log.ts";
export { auditRequests } from "./audit/audit_requests.ts";
export { authenticate } from "./authentication.ts";
export { Drain } from "./drain.ts";
export { Gate } from "./gate.ts";
export { requestMetrics, watchServices };
export { limitRequests, Limits } from "./limits/mod.ts";
export { answerOnce } from "./idempotency/mod.ts";
export { openLog } from "./open_log.ts";
export { answerError, answerProblem, malformedRequest } from "./problem.ts";
export { requestLog } from "./request_log.ts";
export type { AppParts, Env, Services } from "./services.ts";

/** Adds every route. */
export function addRoutes(app: OpenAPIHono<Env>, services: Services): void {
  addHealthRoutes(app, services);
  addMetricsRoute(app, services);
  addDocumentationRoutes(app);
  addKeyRoutes(app, services);
  addModelRoutes(app, services);
  addPredictionRoutes(app, services);
  addJobRoutes(app, services);
  addTrainingRoutes(app, services);
  addFineTuningRoutes(app, services);
  addTokenRoutes(app, services);
  addTenantRoutes(app, services);
  addAuditRoutes(app, services);
}
