import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { ERROR_STATUS, type ErrorCode } from "../../errors.ts";
import { problems } from "../problem.ts";
import { BEARER, digestSchema, EXAMPLE_DIGEST, instantSchema } from "../schemas.ts";
import { JOB_STATES } from "./job.ts";

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];
const EXAMPLE_ID = "0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a";

export const jobSchema = z.object({
  id: z.uuid(),
  model_id: digestSchema,
  rows: z.number().int(),
  state: z.enum(JOB_STATES),
  progress: z.number().min(0).max(1).openapi({ description: "Share done" }),
  estimated_seconds_left: z.number().openapi({ description: "Until it is done, the jobs before it included" }),
  created_at: instantSchema,
  started_at: instantSchema.nullable(),
  finished_at: instantSchema.nullable(),
  error: z.object({ code: z.enum(CODES), detail: z.string() }).optional().openapi({
    description: "Of a job that failed or was cancelled",
  }),
}).openapi("Job", {
  example: {
    id: EXAMPLE_ID,
    model_id: EXAMPLE_DIGEST,
    rows: 200,
    state: "running",
    progress: 0.25,
    estimated_seconds_left: 90,
    created_at: "2026-03-01T12:00:00.000Z",
    started_at: "2026-03-01T12:00:01.000Z",
    finished_at: null,
  },
});

const params = z.object({
  id: z.uuid("must be the id of a job").openapi({ param: { name: "id", in: "path" }, example: EXAMPLE_ID }),
});
const shared = {
  tags: ["jobs"],
  security: BEARER,
  middleware: requireScope("predict"),
  request: { params },
};
const ACCESS = ["token_missing", "token_invalid", "token_expired", "scope_missing", "internal"] as const;
const COMMON = [...ACCESS, "malformed_request", "job_unknown"] as const;

export const showJob = createRoute({
  ...shared,
  method: "get",
  path: "/v1/jobs/{id}",
  summary: "Show a job",
  responses: {
    200: { description: "The job", content: { "application/json": { schema: jobSchema } } },
    ...problems(...COMMON),
  },
});

export const followJob = createRoute({
  ...shared,
  method: "get",
  path: "/v1/jobs/{id}/events",
  summary: "Follow a job",
  description: "Server-sent events named `job` whose data is the job, at every change but at most twice a second, " +
    "until it has ended.",
  responses: {
    200: {
      description: "The events",
      content: {
        "text/event-stream": {
          schema: { type: "string" as const },
          example: `event: job\ndata: {"id":"${EXAMPLE_ID}","state":"running","progress":0.25}\n\n`,
        },
      },
    },
    ...problems(...COMMON),
  },
});

export const fetchAnswers = createRoute({
  ...shared,
  method: "get",
  path: "/v1/jobs/{id}/answers",
  summary: "Fetch the answers of a job that has succeeded",
  responses: {
    200: {
      description: "An encrypted answers file",
      headers: z.object({
        "sotto-server-ms": z.string().openapi({ description: "Time of the back end, ms", example: "5250.5" }),
      }),
      content: { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } },
    },
    ...problems(...COMMON, "job_unfinished", "conflict"),
  },
});

export const removeJob = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/jobs/{id}",
  summary: "Cancel a job, or forget one that has ended together with its answers",
  responses: { 204: { description: "Cancelled or forgotten" }, ...problems(...COMMON) },
});
