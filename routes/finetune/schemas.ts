/** What the routes of fine-tuning take and answer. */
import { z } from "@hono/zod-openapi";
import { groupPlanSchema } from "../../circuits/finetune/mod.ts";
import { BASE_WEIGHTS, FINE_TUNING_MASKS } from "../../db/mod.ts";
import { type TokenParameterSet, TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import { digestSchema, EXAMPLE_DIGEST, instantSchema, nameSchema } from "../schemas.ts";

const EXAMPLE_ID = "0b8f7f0e-2f0c-4a53-9f0e-7d0f3c1d2e4a";

/** The parameter sets of tokens by their names. */
export const TOKEN_SETS: ReadonlyMap<string, TokenParameterSet> = new Map(
  [TOKENS_1024, TOKENS_2048].map((set) => [set.name, set]),
);
const SET_NAMES = [...TOKEN_SETS.keys()] as [string, ...string[]];
const TOKENS_MAX = Math.max(...[...TOKEN_SETS.values()].map(({ ringDegree }) => ringDegree));

export const newBaseModelSchema = z.strictObject({
  name: nameSchema,
  path: z.string().min(1).max(1000).openapi({
    description: "Below the server's folder of base models: a GGUF file, or a folder with config.json and safetensors",
  }),
  weights: z.enum(BASE_WEIGHTS).default("int8").openapi({
    description: "int10: a quarter of the rounding, products take the server twice as long, only for tokens-2048-q32",
  }),
}).openapi("NewBaseModel", {
  example: { name: "SmolLM2 135M", path: "SmolLM2-135M-Instruct.Q4_1.gguf", weights: "int8" as const },
});

const EXAMPLE_BASE = {
  id: EXAMPLE_DIGEST,
  name: "SmolLM2 135M",
  weights: "int8" as const,
  weight_bytes: 134_515_008,
  public_bytes: 114_000_000,
  public_digest: EXAMPLE_DIGEST,
  created_at: "2026-03-01T12:00:00.000Z",
};

export const baseSummarySchema = z.object({
  id: digestSchema.openapi({ description: "Digest of the weights as bytes and of how they are cut" }),
  name: z.string(),
  weights: z.enum(BASE_WEIGHTS),
  weight_bytes: z.number().int().openapi({ description: "Of all modules: one byte a weight, two of int10" }),
  public_bytes: z.number().int(),
  public_digest: digestSchema.openapi({ description: "SHA-256 of what GET .../public answers" }),
  created_at: instantSchema,
}).openapi("BaseModelSummary", { example: EXAMPLE_BASE });

export const baseModelSchema = baseSummarySchema.extend({
  config: z.record(z.string(), z.unknown()).openapi({ description: "Shape of the model" }),
  groups: z.array(groupPlanSchema),
}).openapi("BaseModel", {
  example: {
    ...EXAMPLE_BASE,
    config: { hidden: 576, layers: 30 },
    groups: [{
      name: "layers.0.qkv",
      modules: [{ name: "model.layers.0.self_attn.q_proj", rows: 576 }],
      rows: 576,
      columns: 576,
      column_parts: [{ first: 0, count: 576, norm: 1050 }],
      row_parts: [{ first: 0, count: 576, norm: 1822.5 }],
      mask_first: { forward: 0, backward: 576 },
    }],
  },
});

export const tokenizerSchema = z.object({
  description: z.record(z.string(), z.unknown()).openapi({ description: "In the form of a tokenizer.json" }),
  special: z.object({ begin: z.number().int().optional(), end: z.number().int().optional() }),
}).openapi("BaseTokenizer", { example: { description: { model: { type: "BPE" } }, special: { begin: 1, end: 2 } } });

export const newSessionSchema = z.strictObject({
  base_model: digestSchema,
  parameter_set: z.enum(SET_NAMES).optional().openapi({
    description:
      "Default: tokens-1024-q32, for weights of 10 bits tokens-2048-q32, the only one that is good for these",
  }),
  masks: z.enum(FINE_TUNING_MASKS).default("fresh").openapi({
    description: "cached: the client fetches the masks of all answers once, and answers become less than half as long",
  }),
  tokens_max: z.number().int().min(1).max(TOKENS_MAX).optional().openapi({
    description: "Tokens of a request at most; default: as many as the set has",
  }),
}).openapi("NewFineTuningSession", {
  example: { base_model: EXAMPLE_DIGEST, parameter_set: TOKENS_1024.name, masks: "fresh" as const, tokens_max: 1024 },
});

const placementSchema = z.object({
  url: z.string(),
  layers: z.array(z.number().int()).length(2).optional(),
  output: z.boolean().optional(),
});

const EXAMPLE_SESSION = {
  id: EXAMPLE_ID,
  base_model: EXAMPLE_DIGEST,
  parameter_set: TOKENS_1024.name,
  masks: "fresh" as const,
  mask_seed: null,
  tokens_max: 1024,
  bytes_per_token: 2_505_057,
  mask_bytes: 0,
  requests: 241,
  bytes_used: 2_565_178_568,
  bytes_max: 4_398_046_511_104,
  placement: [],
  created_at: "2026-03-01T12:00:00.000Z",
};

export const sessionSchema = z.object({
  id: z.uuid(),
  base_model: digestSchema,
  parameter_set: z.string(),
  masks: z.enum(FINE_TUNING_MASKS),
  mask_seed: z.string().nullable().openapi({ description: "Of cached masks: 32 bytes, hex, public" }),
  tokens_max: z.number().int(),
  bytes_per_token: z.number().openapi({ description: "Up and down, of a step of tokens_max tokens" }),
  mask_bytes: z.number().int().openapi({ description: "Cached masks of all groups and directions" }),
  requests: z.number().int(),
  bytes_used: z.number().int(),
  bytes_max: z.number().int().openapi({ description: "Quota of requests and answers together" }),
  placement: z.array(placementSchema).openapi({
    description: "Servers of layers, ends included, and of the output; this server answers for all others",
  }),
  created_at: instantSchema,
}).openapi("FineTuningSession", { example: EXAMPLE_SESSION });

export const sessionParams = z.object({
  id: z.uuid().openapi({ param: { name: "id", in: "path" }, example: EXAMPLE_ID }),
});
const groupSchema = z.string().regex(/^(layers\.\d{1,4}\.(qkv|o|gate_up|down)|output)$/, "is no group of a model")
  .openapi({ example: "layers.3.qkv" });
const directionSchema = z.enum(["forward", "backward"]).openapi({ description: "W x, or W^T y summed over the group" });

export const productQuery = z.object({
  group: groupSchema,
  direction: directionSchema,
  tokens: z.coerce.number().int().min(1).max(TOKENS_MAX).openapi({ example: 128 }),
});
export const maskParams = sessionParams.extend({
  group: groupSchema.openapi({ param: { name: "group", in: "path" } }),
});
export const maskQuery = z.object({ direction: directionSchema });
