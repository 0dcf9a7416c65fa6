/** What the routes of training sessions take and answer. */
import { z } from "@hono/zod-openapi";
import { trainingSpecSchema } from "../../circuits/training/mod.ts";
import { OWNER_KINDS, TRAINING_STATES } from "../../db/mod.ts";
import { digestSchema, EXAMPLE_DIGEST, instantSchema, nameSchema, PRINTABLE } from "../schemas.ts";
import { type Action, ALLOWED } from "./states.ts";

const EXAMPLE_ID = "0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a";
const ACTIONS = Object.keys(ALLOWED) as [Action, ...Action[]];

/** The most batches of a session. */
const BATCHES_MAX = 1_000_000;

const EXAMPLE_SPEC = {
  kind: "logistic" as const,
  classes: ["benign", "malignant"],
  features: [{ name: "radius", mean: 14.1, deviation: 3.5 }, { name: "texture", min: 9.7, max: 39.3 }],
  batch_size: 8 as const,
  steps: 200,
  learning_rate: { schedule: "constant" as const, rate: 1 },
  l2: 0,
  clip: 3,
  seed: 7,
  feature_scale: 16,
  score_range: 32,
};

const specSchema = trainingSpecSchema.openapi("TrainingSpec", { example: EXAMPLE_SPEC });
const daysSchema = z.number().int().min(1).max(3650).default(90);
const batchNumber = z.number().int().min(0).max(BATCHES_MAX);

export const newSessionSchema = z.strictObject({
  name: nameSchema,
  spec: specSchema,
  batch_count: z.number().int().min(1).max(BATCHES_MAX).openapi({
    description: "Batches of all data owners together: rows / batch_size, rounded up for each owner of rows",
  }),
  checkpoint_every: z.number().int().min(1).max(1_000_000).default(10).openapi({
    description: "Steps between two checkpoints: what a killed server computes again at most",
  }),
}).openapi("NewTrainingSession", {
  example: { name: "breast cancer", spec: EXAMPLE_SPEC, batch_count: 57, checkpoint_every: 10 },
});

const EXAMPLE_SUMMARY = {
  id: EXAMPLE_ID,
  name: "breast cancer",
  state: "running" as const,
  step: 120,
  steps: 200,
  stop_at: 200,
  checkpoint_step: 120,
  step_ms: 140.5,
  estimated_seconds_left: 11.2,
  created_at: "2026-03-01T12:00:00.000Z",
  changed_at: "2026-03-01T12:01:00.000Z",
};

export const summarySchema = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.enum(TRAINING_STATES),
  step: z.number().int().openapi({ description: "Steps done" }),
  steps: z.number().int().openapi({ description: "Steps of the specification" }),
  stop_at: z.number().int().openapi({ description: "Step after which the current run, or the last one, ends" }),
  checkpoint_step: z.number().int().openapi({ description: "Step of the weights that GET .../weights answers" }),
  step_ms: z.number().nullable().openapi({ description: "Measured milliseconds of a step" }),
  estimated_seconds_left: z.number().nullable(),
  created_at: instantSchema,
  changed_at: instantSchema,
  failure: z.string().optional().openapi({ description: "Of a session that failed" }),
}).openapi("TrainingSessionSummary", { example: EXAMPLE_SUMMARY });

const EXAMPLE_OWNER = {
  id: "5d1f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4b",
  name: "clinic",
  kind: "columns" as const,
  columns: ["radius"],
  bias: true,
  first_batch: 0,
  batch_count: 57,
  uploaded_batches: 57,
  order_confirmed: true,
};

export const ownerSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  kind: z.enum(OWNER_KINDS),
  columns: z.array(z.string()),
  bias: z.boolean(),
  first_batch: z.number().int(),
  batch_count: z.number().int(),
  uploaded_batches: z.number().int(),
  order_confirmed: z.boolean(),
}).openapi("DataOwner", { example: EXAMPLE_OWNER });

export const sessionSchema = summarySchema.extend({
  allowed: z.array(z.enum(ACTIONS)).openapi({ description: "What may be done in this state" }),
  batch_count: z.number().int(),
  checkpoint_every: z.number().int(),
  key_id: digestSchema.nullable(),
  has_training_keys: z.boolean(),
  has_public_key: z.boolean(),
  order_digest: digestSchema.nullable(),
  owners: z.array(ownerSchema),
  plan: z.record(z.string(), z.unknown()),
  spec: specSchema,
}).openapi("TrainingSession", {
  example: {
    ...EXAMPLE_SUMMARY,
    allowed: ["pause"],
    batch_count: 57,
    checkpoint_every: 10,
    key_id: EXAMPLE_DIGEST,
    has_training_keys: true,
    has_public_key: true,
    order_digest: EXAMPLE_DIGEST,
    owners: [EXAMPLE_OWNER],
    plan: { lookup_capability: "lookup3" },
    spec: EXAMPLE_SPEC,
  },
});

export const newOwnerSchema = z.strictObject({
  name: nameSchema,
  kind: z.enum(OWNER_KINDS),
  columns: z.array(z.string()).optional().openapi({ description: "Of an owner of columns: names of features" }),
  bias: z.boolean().optional().openapi({ description: "Of an owner of columns: it brings the constant column, too" }),
  batches: z.strictObject({ first: batchNumber, count: batchNumber.min(1) }).optional().openapi({
    description: "Of an owner of rows: the batches it fills; default: all",
  }),
  days: daysSchema.openapi({ description: "Until its token expires" }),
}).openapi("NewDataOwner", { example: { name: "clinic", kind: "columns", columns: ["radius"], bias: true, days: 90 } });

export const addedOwnerSchema = ownerSchema.extend({
  token: z.string().openapi({ description: "Shown this once" }),
  token_id: z.string(),
  token_expires_at: instantSchema,
}).openapi("AddedDataOwner", {
  example: {
    ...EXAMPLE_OWNER,
    token: "sotto_5f3759df1c2b3a49_0123456789abcdef0123456789abcdef",
    token_id: "5f3759df1c2b3a49",
    token_expires_at: "2026-05-30T12:00:00.000Z",
  },
});

export const publicSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  state: z.enum(TRAINING_STATES),
  batch_count: z.number().int(),
  key_id: digestSchema.nullable(),
  public_key: z.string().nullable().openapi({ description: "The public key file in base64" }),
  order_digest: digestSchema.nullable(),
  owner: ownerSchema,
  spec: specSchema,
}).openapi("TrainingPublic", {
  example: {
    id: EXAMPLE_ID,
    name: "breast cancer",
    state: "preparing",
    batch_count: 57,
    key_id: EXAMPLE_DIGEST,
    public_key: "U09UVE8AGgo=",
    order_digest: EXAMPLE_DIGEST,
    owner: EXAMPLE_OWNER,
    spec: EXAMPLE_SPEC,
  },
});

/** The owner of the session publishes ids, data owners confirm their digest. */
export const orderRequestSchema = z.union([
  z.strictObject({ ids: z.array(z.string().min(1).max(200).regex(PRINTABLE)).min(1) }),
  z.strictObject({ digest: digestSchema }),
]).openapi("RowOrderRequest", { example: { digest: EXAMPLE_DIGEST } });

export const orderSchema = z.object({ digest: digestSchema, ids: z.array(z.string()) }).openapi("RowOrder", {
  example: { digest: EXAMPLE_DIGEST, ids: ["patient-0007", "patient-0003"] },
});

export const batchSchema = z.object({
  batch: z.number().int(),
  digest: digestSchema,
  bytes: z.number().int(),
}).openapi("TrainingBatch", { example: { batch: 3, digest: EXAMPLE_DIGEST, bytes: 77_184 } });

export const runSchema = z.strictObject({
  steps: z.number().int().min(1).max(1_000_000).optional().openapi({ description: "Default: all that are left" }),
}).openapi("TrainingRun", { example: { steps: 50 } });

export const sessionParams = z.object({
  id: z.uuid("must be the id of a training session").openapi({
    param: { name: "id", in: "path" },
    example: EXAMPLE_ID,
  }),
});
export const ownerParams = sessionParams.extend({
  owner: z.uuid("must be the id of a data owner").openapi({
    param: { name: "owner", in: "path" },
    example: EXAMPLE_OWNER.id,
  }),
});
export const batchParams = sessionParams.extend({
  batch: z.coerce.number().int().min(0).max(BATCHES_MAX).openapi({
    param: { name: "batch", in: "path", required: true },
    type: "integer",
    example: 3,
  }),
});
