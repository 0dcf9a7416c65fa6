/** Adds the routes of training sessions. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Env, Services } from "../services.ts";
import { addOwnerRoutes } from "./owner_routes.ts";
import { addSessionRoutes } from "./session_routes.ts";
import { addWeightRoutes } from "./weight_routes.ts";

export { TrainingRuns } from "./runs.ts";

export function addTrainingRoutes(app: OpenAPIHono<Env>, services: Services): void {
  addSessionRoutes(app, services);
  addOwnerRoutes(app, services);
  addWeightRoutes(app, services);
}
