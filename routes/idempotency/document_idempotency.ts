/** What the OpenAPI document says of `Idempotency-Key`, the same for every POST below /v1. */
import { problems } from "../problem.ts";

/** An operation, as far as it is changed here. */
export interface PostOperation {
  parameters?: unknown[];
  responses: Record<string, { description?: string; content?: Record<string, { schema?: object; examples?: object }> }>;
}

/** The document is made by now: schemas of its routes are references. */
const PROBLEM = { $ref: "#/components/schemas/Problem" };
const HEADER = {
  name: "idempotency-key",
  in: "header",
  required: false,
  description:
    "1 to 200 printable ASCII characters that name this request. Sent again with the same key within a day, it is not done again: the answer is that " +
    "of the first one, with the header `idempotency-replayed: true`, and a job is the same job. Kept are JSON answers of at most 64 kB without a token; " +
    "a request that failed, and one whose answer is a file (predictions and products, which change nothing), is computed again.",
  schema: { type: "string", minLength: 1, maxLength: 200 },
  example: "8c1f6f4e-1d0b-4a43-8f0c-2f7b8c6d9a10",
};

/** Adds the header and its refusals to an operation. */
export function documentIdempotency(operation: PostOperation): void {
  operation.parameters = [...operation.parameters ?? [], HEADER];
  for (const [status, answer] of Object.entries(problems("conflict", "idempotency_key_reused"))) {
    const before = operation.responses[status];
    operation.responses[status] = merged(before ?? { ...answer, content: {} }, answer);
  }
}

type Answer = PostOperation["responses"][string];

function merged(before: Answer, { description, content }: Answer): Answer {
  const codes = new Set([...(before.description ?? "").split(", "), ...(description ?? "").split(", ")]);
  const [type, added] = Object.entries(content ?? {})[0];
  const examples = { ...before.content?.[type]?.examples, ...added.examples };
  return {
    ...before,
    description: [...codes].join(", "),
    content: { ...before.content, [type]: { schema: PROBLEM, examples } },
  };
}
