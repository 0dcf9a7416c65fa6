/** Adds the routes of base models and fine-tuning sessions. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Env, Services } from "../services.ts";
import { addBaseModelRoutes } from "./base_routes.ts";
import { addProductRoutes } from "./product_routes.ts";
import { addSessionRoutes } from "./session_routes.ts";

export { ByteBudget } from "./byte_budget.ts";

export function addFineTuningRoutes(app: OpenAPIHono<Env>, services: Services): void {
  addBaseModelRoutes(app, services);
  addSessionRoutes(app, services);
  addProductRoutes(app, services);
}
