/** What every operation of the OpenAPI document has in common, added in one place. */
import { documentIdempotency, type PostOperation } from "../idempotency/document_idempotency.ts";
import { exampleOf, type Schema, type Schemas } from "./example_of.ts";

interface Content {
  schema?: Schema;
  example?: unknown;
  examples?: unknown;
}
type Media = Record<string, Content>;
interface Answer {
  headers?: Record<string, unknown>;
  content?: Media;
}
interface Operation {
  requestBody?: { content: Media };
  responses: Record<string, Answer>;
}

/** An OpenAPI 3.1 document, as far as it is completed here. */
export interface OpenApiDocument {
  paths?: Record<string, object>;
  components?: { schemas?: object; headers?: object };
}

const METHODS = ["get", "post", "put", "patch", "delete"];
const REQUEST_ID = {
  description: "Id of the request, also in the server's log; send your own in the same header",
  schema: { type: "string", example: "1b6f1f0e-5d33-4a5e-9c5e-0a4c6a6a3a10" },
};

/** Names the header with the request's id in every answer, and gives every JSON body an example. Changes `document`. */
export function completeDocument<T extends OpenApiDocument>(document: T): T {
  const components = document.components ??= {};
  components.headers = { ...components.headers, RequestId: REQUEST_ID };
  const schemas = (components.schemas ?? {}) as Schemas;
  for (const [path, { post }] of Object.entries(document.paths ?? {}) as [string, { post?: PostOperation }][]) {
    if (post !== undefined && path.startsWith("/v1/")) documentIdempotency(post);
  }
  for (const operation of operationsOf(document)) {
    if (operation.requestBody !== undefined) addExamples(operation.requestBody.content, schemas);
    for (const answer of Object.values(operation.responses)) {
      answer.headers = { ...answer.headers, "x-request-id": { $ref: "#/components/headers/RequestId" } };
      addExamples(answer.content ?? {}, schemas);
    }
  }
  return document;
}

function operationsOf(document: OpenApiDocument): Operation[] {
  const paths = Object.values(document.paths ?? {}) as Record<string, Operation>[];
  return paths.flatMap((path) => METHODS.flatMap((method) => path[method] ?? []));
}

function addExamples(content: Media, schemas: Schemas): void {
  for (const body of Object.values(content)) {
    if (body.schema === undefined || body.example !== undefined || body.examples !== undefined) continue;
    const example = exampleOf(body.schema, schemas);
    if (example !== undefined) body.example = example;
  }
}
