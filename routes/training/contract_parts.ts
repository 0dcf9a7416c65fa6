/** Pieces that the routes of training sessions share. */
import type { z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { tooLarge } from "../../store/mod.ts";
import { requireScope } from "../authentication.ts";
import { ACCESS } from "../problem.ts";
import { BEARER } from "../schemas.ts";
import { sessionSchema } from "./schemas.ts";

/** Longest JSON of a session or an owner: specifications name every feature. */
const JSON_BYTES_MAX = 16 * 1024 * 1024;

export const shared = { tags: ["training"], security: BEARER, middleware: [requireScope("train")] };
export const COMMON = [...ACCESS, "malformed_request", "session_unknown"] as const;
/** What reading a file may throw. */
export const FILE = [
  "malformed_file",
  "digest_mismatch",
  "wrong_file_kind",
  "unsupported_version",
  "wrong_parameter_set",
  "body_too_large",
  "cancelled",
] as const;

export const binary = {
  "application/octet-stream": { schema: { type: "string" as const, format: "binary" } },
};
export const json = <T extends z.ZodType>(schema: T) => ({ "application/json": { schema } });
export const jsonBody = <T extends z.ZodType>(schema: T) => ({ required: true, content: json(schema) });
/** An answer that is the session. */
export const shown = (description: string) => ({ description, content: json(sessionSchema) });
export const jsonLimit = bodyLimit({ maxSize: JSON_BYTES_MAX, onError: () => refuseBody(JSON_BYTES_MAX) });

/** Throws `body_too_large`. */
export function refuseBody(maxBytes: number): never {
  throw tooLarge(maxBytes);
}
