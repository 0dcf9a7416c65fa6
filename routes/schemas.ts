/** Pieces of the contracts that more than one group of routes uses. */
import { z } from "@hono/zod-openapi";

export const EXAMPLE_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/** A SHA-256 in lower-case hex. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits");

/** No control characters. (Without a flag, since patterns of JSON Schema have none.) */
// deno-lint-ignore no-control-regex -- control characters are what it refuses
export const PRINTABLE = /^[^\u0000-\u001f\u007f-\u009f]*$/;

/** What a person calls something. */
export const nameSchema = z.string().trim().min(1).max(200).regex(PRINTABLE, "must not hold control characters");

export const instantSchema = z.iso.datetime().openapi({ example: "2026-03-01T12:00:00.000Z" });

/** The path parameter `id` of keys and models. */
export const digestParams = z.object({
  id: digestSchema.openapi({ param: { name: "id", in: "path" }, example: EXAMPLE_DIGEST }),
});

/** The body of a route that takes a file. */
export const fileBody = (description: string) => ({
  required: true,
  description,
  content: { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } },
});

export const BEARER = [{ bearer: [] }];
