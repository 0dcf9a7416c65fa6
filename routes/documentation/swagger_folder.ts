import { createRequire } from "node:module";
import { dirname } from "node:path";

/** The folder of the pinned Swagger UI. */
export function swaggerFolder(): string {
  return dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
}
