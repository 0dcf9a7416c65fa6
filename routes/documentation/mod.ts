import type { OpenAPIHono } from "@hono/zod-openapi";
import { secureHeaders } from "hono/secure-headers";
import { join } from "node:path";
import { swaggerFolder } from "./swagger_folder.ts";
import type { Env } from "../services.ts";

const ASSETS: Record<string, string> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sotto API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="page"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null });\n`;

/** Security headers of the page: it loads nothing from elsewhere; Swagger UI sets styles from its script. */
export const documentationHeaders = secureHeaders({
  xFrameOptions: "DENY",
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** Adds the OpenAPI document and the page that shows it; they need no token. */
export function addDocumentationRoutes(app: OpenAPIHono<Env>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Sotto",
      version: "1",
      description: "Predictions on encrypted rows. The layout of the files is in docs/files.md of the source.",
      license: { name: "Apache-2.0" },
    },
  });
  app.get("/docs", (c) => c.html(PAGE));
  app.get("/docs/start.js", (c) => c.body(START, 200, { "content-type": "text/javascript; charset=utf-8" }));
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, async (c) => c.body(await readAsset(name), 200, { "content-type": type }));
  }
}

function readAsset(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(join(swaggerFolder(), name));
}
