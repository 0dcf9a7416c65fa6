import type { OpenAPIHono } from "@hono/zod-openapi";
import { secureHeaders } from "hono/secure-headers";
import { join } from "node:path";
import { completeDocument } from "./complete_document.ts";
import { swaggerFolder } from "./swagger_folder.ts";
import type { Env } from "../services.ts";

const ASSETS: Record<string, string> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

const ABOUT =
  "An encrypted machine-learning server: clients keep their keys and their data, the server stores models and " +
  "evaluation keys and computes on ciphertexts only. Binary bodies are the files that docs/files.md of the source lays " +
  "out; docs/versioning.md says what stays as it is in version 1.";

/** The groups of routes. */
const TAGS = {
  keys: "Evaluation keys and lookup keys of clients",
  models: "Models and what clients need to know of them",
  predictions: "Encrypted rows in, encrypted answers out",
  jobs: "Work that takes longer than a request",
  training: "Training on encrypted data of one or several owners",
  "fine-tuning": "Products of encrypted tokens by the weights of language models",
  tokens: "Tokens of your tenant",
  tenants: "Your tenant, its limits and what it uses",
  audit: "Who did what when",
  health: "Whether the server works",
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
  let document: ReturnType<typeof documentOf> | undefined;
  app.get("/openapi.json", (c) => c.json(document ??= documentOf(app)));
  app.get("/docs", (c) => c.html(PAGE));
  app.get("/docs/start.js", (c) => c.body(START, 200, { "content-type": "text/javascript; charset=utf-8" }));
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, async (c) => c.body(await readAsset(name), 200, { "content-type": type }));
  }
}

/** The OpenAPI document of all routes that were added. */
function documentOf(app: OpenAPIHono<Env>) {
  return completeDocument(app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Sotto",
      version: "1",
      description: ABOUT,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  }));
}

function readAsset(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(join(swaggerFolder(), name));
}
