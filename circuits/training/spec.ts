/** What is trained and how: the public part of a training session, agreed by owners and server. */
import { z } from "@hono/zod-openapi";
import { SottoError } from "../../errors.ts";

/** Numbers of data: far from where quotients of them overflow. */
const datum = z.number().min(-1e30).max(1e30);

/** Public scaling of one column: u = (x - mean) / (clip deviation), or u from -1 to 1 between min and max; clipped to [-1, 1]. */
const scaledSchema = z.union([
  z.object({ name: z.string().min(1), mean: datum, deviation: datum.min(1e-30) }).openapi("ScaledByDeviation"),
  z.object({ name: z.string().min(1), min: datum, max: datum }).refine(({ min, max }) => max > min, {
    message: "max must be above min",
  }).openapi("ScaledByRange"),
]);

const rate = z.number().positive().max(1000);
const rateSchema = z.discriminatedUnion("schedule", [
  z.object({ schedule: z.literal("constant"), rate }).openapi("ConstantRate"),
  /** rate * factor^floor(step / every) */
  z.object({ schedule: z.literal("step"), rate, factor: z.number().positive().max(1), every: z.number().int().min(1) })
    .openapi("StepRate"),
  /** From `rate` to `floor` along half a cosine over all steps. */
  z.object({ schedule: z.literal("cosine"), rate, floor: rate }).openapi("CosineRate"),
  /** One rate a step; the last one goes on. */
  z.object({ schedule: z.literal("list"), rates: z.array(rate).min(1) }).openapi("ListedRates"),
]);

const common = {
  features: z.array(scaledSchema).min(1).max(65536),
  /** Rows a batch, a power of two. */
  batch_size: z.literal([1, 2, 4, 8, 16, 32, 64]).openapi({ type: "integer" }),
  steps: z.number().int().min(1).max(1_000_000),
  learning_rate: rateSchema,
  /** Every step multiplies all weights, the bias too, by 1 - rate * l2. */
  l2: z.number().min(0).max(1000).default(0),
  /** Deviations that reach the ends of [-1, 1]. */
  clip: z.number().min(1e-6).max(1e6).default(3),
  /** Of the order of rows and batches and of a network's first weights; public. */
  seed: z.number().int().min(0).max(2 ** 32 - 1).default(0),
  /** Integers are round(u * feature_scale): more, less rounding of features and more noise of weights. */
  feature_scale: z.number().int().min(1).max(1024).default(16),
};

const classes = z.array(z.union([z.string(), z.number().int()])).min(2).max(64);
/** Largest |score| that its table covers: beyond it a table wraps. */
const scoreRange = z.number().min(1e-6).max(1e6);

export const trainingSpecSchema = z.discriminatedUnion("kind", [
  /** Logistic regression; more than two classes: one against the rest. */
  z.object({ kind: z.literal("logistic"), classes, score_range: scoreRange.default(32), ...common }).openapi(
    "LogisticSpec",
  ),
  /** Least squares with the error clipped to [-error_clip, error_clip], on a target scaled like a feature but not clipped. */
  z.object({
    kind: z.literal("linear"),
    target: scaledSchema,
    score_range: scoreRange.default(4),
    error_clip: scoreRange.default(2),
    ...common,
  }).openapi("LinearSpec"),
  /** One hidden layer and a logistic output; more than two classes: one output each, against the rest. */
  z.object({
    kind: z.literal("mlp"),
    classes,
    hidden: z.object({ width: z.number().int().min(1).max(256), activation: z.enum(["sigmoid", "relu"]) }),
    score_range: scoreRange.default(16),
    ...common,
  }).openapi("MlpSpec"),
]);

export type TrainingSpec = z.infer<typeof trainingSpecSchema>;
export type LinearSpec = Extract<TrainingSpec, { kind: "logistic" | "linear" }>;
export type MlpSpec = Extract<TrainingSpec, { kind: "mlp" }>;
export type Scaling = z.infer<typeof scaledSchema>;

/**
 * The specification in a JSON value.
 * @throws SottoError `malformed_request` naming the first wrong field
 */
export function parseTrainingSpec(json: unknown): TrainingSpec {
  const parsed = trainingSpecSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SottoError("malformed_request", `the training specification: ${issue.path.join(".")}: ${issue.message}`);
}

/** Columns of the weights: the features and the constant column of the bias. */
export function columnCount(spec: TrainingSpec): number {
  return spec.features.length + 1;
}

/** Scores of one row: one for a regression and for two classes, one a class otherwise. */
export function scoreCount(spec: TrainingSpec): number {
  return spec.kind === "linear" || spec.classes.length === 2 ? 1 : spec.classes.length;
}

/** A value on [-1, 1] by its public scaling, not yet clipped. */
export function scaled(scaling: Scaling, clip: number, value: number): number {
  if ("mean" in scaling) return (value - scaling.mean) / (clip * scaling.deviation);
  return 2 * (value - scaling.min) / (scaling.max - scaling.min) - 1;
}

/** u = gain * x + shift. */
export function affineOf(scaling: Scaling, clip: number): { readonly gain: number; readonly shift: number } {
  const shift = scaled(scaling, clip, 0);
  return { gain: scaled(scaling, clip, 1) - shift, shift };
}
