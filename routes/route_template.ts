import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import type { Env } from "./services.ts";

/** The path of the route that answers, as in the OpenAPI document: `/v1/models/{id}`; `unmatched` where none does. */
export function routeTemplate(c: Context<Env>): string {
  const route = matchedRoutes(c).findLast(({ path, method }) => !path.includes("*") && method !== "ALL");
  return route === undefined ? "unmatched" : route.path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}");
}
