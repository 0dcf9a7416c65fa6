import { createRoute, z } from "@hono/zod-openapi";
import { requireScope } from "../authentication.ts";
import { ERROR_STATUS, type ErrorCode } from "../../errors.ts";
import { ACCESS, problems, STORED } from "../problem.ts";
import { BEARER, digestSchema, EXAMPLE_DIGEST, instantSchema } from "../schemas.ts";
import { JOB_KINDS, JOB_PRIORITIES, JOB_STATES } from "../../db/mod.ts";

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];
const EXAMPLE_ID = "0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a";

export const jobSchema = z.object({
  id: z.uuid(),
  kind: z.enum(JOB_KINDS),
  model_id: digestSchema.optional().openapi({ description: "Of a prediction" }),
  session_id: z.uuid().optional().openapi({ description: "Of a training run" }),
  priority: z.enum(JOB_PRIORITIES),
  rows: z.number().int(),
  parts: z.object({ done: z.number().int(), total: z.number().int() }).openapi({
    description: "Pieces that workers compute on their own",
  }),
  attempts: z.number().int().openapi({ description: "Most attempts that a part took: more than 1 after a failure" }),
  state: z.enum(JOB_STATES),
  progress: z.number().min(0).max(1).openapi({ description: "Share done" }),
  estimated_seconds_left: z.number().openapi({ description: "Until it is done, the jobs before it included" }),
  created_at: instantSchema,
  started_at: instantSchema.nullable(),
  finished_at: instantSchema.nullable(),
  result: z.string().optional().openapi({ description: "What it made: the id of a model, or of a training session" }),
  error: z.object({ code: z.enum(CODES), detail: z.string() }).optional().openapi({
    description: "Of a job that failed or was cancelled",
  }),
}).openapi("Job", {
  example: {
    id: EXAMPLE_ID,
    kind: "prediction",
    model_id: EXAMPLE_DIGEST,
    priority: "normal",
    rows: 200,
    parts: { done: 3, total: 12 },
    attempts: 1,
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
const COMMON = [...ACCESS, "malformed_request", "job_unknown"] as const;

/** The answer to a request that became a job. */
export function acceptedJob(description: string) {
  const location = z.string().openapi({ description: "Path of the job", example: `/v1/jobs/${EXAMPLE_ID}` });
  return { description, headers: z.object({ location }), content: { "application/json": { schema: jobSchema } } };
}

/** Which of the waiting jobs of a tenant come first. */
export const prioritySchema = z.enum(JOB_PRIORITIES).default("normal").openapi({
  param: { name: "priority", in: "query" },
  description: "Of a job, among the jobs of all tenants: `high` counts four times, `low` a quarter",
  example: "normal",
});

const EXAMPLE_CURSOR = `1795530980000_${EXAMPLE_ID}`;
/** Milliseconds since 1970, and an id. */
const CURSOR_FORM = /^[0-9]{1,13}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const listQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).openapi({
    param: { name: "limit", in: "query" },
    description: "Jobs of one answer at most",
    example: 50,
  }),
  cursor: z.string().regex(CURSOR_FORM, "must be the `next` of an answer").optional().openapi({
    param: { name: "cursor", in: "query" },
    description: "The `next` of the answer before",
    example: EXAMPLE_CURSOR,
  }),
});

export const showJobs = createRoute({
  ...shared,
  request: { query: listQuerySchema },
  method: "get",
  path: "/v1/jobs",
  operationId: "listJobs",
  summary: "List your jobs",
  description: "Newest first, page by page: predictions that are answered later, training runs and imports.",
  responses: {
    200: {
      description: "A page of jobs",
      content: {
        "application/json": {
          schema: z.object({
            jobs: z.array(jobSchema),
            next: z.string().nullable().openapi({
              description: "The cursor of the next page; null: there is none",
              example: EXAMPLE_CURSOR,
            }),
          }),
        },
      },
    },
    ...problems(...ACCESS, "malformed_request"),
  },
});

export const showJob = createRoute({
  ...shared,
  method: "get",
  path: "/v1/jobs/{id}",
  operationId: "showJob",
  summary: "Show a job",
  description: "State, progress and the estimate of a job of your tenant.",
  responses: {
    200: { description: "The job", content: { "application/json": { schema: jobSchema } } },
    ...problems(...COMMON),
  },
});

export const followJob = createRoute({
  ...shared,
  method: "get",
  path: "/v1/jobs/{id}/events",
  operationId: "followJob",
  summary: "Follow a job",
  description: "Server-sent events named `job` whose data is the job, at every change but at most twice a second, " +
    "until it has ended.",
  responses: {
    200: {
      description: "The events",
      content: {
        "text/event-stream": {
          schema: {},
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
  operationId: "fetchJobAnswers",
  summary: "Fetch the answers of a job that has succeeded",
  description: "The same bytes at every call, until the job is deleted or its time has run out.",
  responses: {
    200: {
      description: "An encrypted answers file",
      headers: z.object({
        "sotto-server-ms": z.string().openapi({ description: "Time of the back end, ms", example: "5250.5" }),
      }),
      content: { "application/octet-stream": { schema: { type: "string" as const, format: "binary" } } },
    },
    ...problems(...COMMON, ...STORED, "job_unfinished", "conflict"),
  },
});

export const removeJob = createRoute({
  ...shared,
  method: "delete",
  path: "/v1/jobs/{id}",
  operationId: "deleteJob",
  summary: "Cancel a job, or forget one that has ended together with its answers",
  description:
    "A job that computes is stopped and becomes `cancelled`; a training session becomes `paused`. A job that has ended is forgotten.",
  responses: { 204: { description: "Cancelled or forgotten" }, ...problems(...COMMON) },
});
