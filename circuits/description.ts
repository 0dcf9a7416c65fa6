/**
 * The public description of a registered model: everything a client needs to encrypt rows and read answers, and nothing else.
 * It is the wire form of `GET /v1/models/{id}`; the server makes it with `planTrees` / `planLinear`.
 */
import { z } from "@hono/zod-openapi";
import type { Capability } from "./backend.ts";

const label = z.union([z.string(), z.number()]);

export const outputSchema = z.object({
  task: z.enum(["regression", "binary", "multiclass"]),
  transform: z.enum(["identity", "logistic", "softmax", "exp", "one_vs_rest_logistic"]),
  base: z.array(z.number()),
  labels: z.array(label),
  threshold: z.number(),
}).openapi("Output");

const feature = {
  name: z.string(),
  cast: z.enum(["float32", "float64"]),
  missing: z.enum(["nan", "zero", "as_zero", "refused"]),
};

const treesFeature = z.object({
  ...feature,
  /** Sorted; bit j is [cast(x) >= thresholds[j]]. Bits of a feature are consecutive, features in order. */
  thresholds: z.array(z.number()),
  /** Threshold bits that are 1 when x is missing; the others are 0 then. */
  missing_ones: z.array(z.number().int()),
  /** One more bit after the thresholds: [x is missing]. */
  missing_bit: z.boolean(),
}).openapi("TreesFeature");

export const planSchema = z.object({
  /** log2 of the probability that one answer (all values of one row) decrypts wrongly. */
  failure_log2: z.number(),
  /** log2 of the standard deviation of the noise of one output, in units of the modulus's integers. */
  noise_log2: z.number(),
  products_per_row: z.number(),
  keyswitches_per_row: z.number(),
  /** Predicted on the machine that imported the model, one thread. */
  server_ms_per_row: z.number(),
  upload_bytes_per_row: z.number(),
  answer_bytes_per_row: z.number(),
}).openapi("Plan");

export const treesDescriptionSchema = z.object({
  mode: z.literal("leaves"),
  parameter_set: z.string(),
  input_bits: z.number().int(),
  answer_bits: z.number().int(),
  plaintext_modulus: z.number().int(),
  features: z.array(treesFeature),
  /** Bits a row. */
  column_count: z.number().int(),
  ciphertexts_per_row: z.number().int(),
  /**
   * Leaves of each tree, the scores its labels are added to, and what a label means:
   * value = label_offset + label_step * sum_i digit_i 2^(16 i).
   */
  trees: z.array(z.object({
    leaf_count: z.number().int(),
    outputs: z.array(z.number().int()),
    label_offset: z.number(),
    label_step: z.number(),
  })),
  /** Labels a leaf: values (one a tree output, all trees alike) times limbs. */
  label_count: z.number().int(),
  /** 16-bit digits of one leaf value, least significant first. */
  label_limbs: z.number().int(),
  output: outputSchema,
  plan: planSchema,
}).openapi("TreesDescription");

export const linearDescriptionSchema = z.object({
  mode: z.literal("linear"),
  parameter_set: z.string(),
  input_bits: z.number().int(),
  answer_bits: z.number().int(),
  features: z.array(z.object({
    ...feature,
    /** The client sends x * 2^exponent in fixed point: the largest weight of the column is at most 2^exponent. */
    exponent: z.number().int(),
  })),
  /** Exponent of the constant column that carries the bias; it follows the features. */
  bias_exponent: z.number().int(),
  /** Weights are integers: weight / 2^exponent * 2^weight_bits. */
  weight_bits: z.number().int(),
  /** Largest sum of |fixed-point inputs| a row that can never overflow: 2^input_sum_bits. */
  input_sum_bits: z.number().int(),
  column_count: z.number().int(),
  rows_per_ciphertext: z.number().int(),
  score_count: z.number().int(),
  output: outputSchema,
  plan: planSchema,
}).openapi("LinearDescription");

const capability = z.enum(["pack", "lookup1", "lookup2", "lookup3"]);

/** What encryption does to one step of a network, measured in clear on calibration rows. */
const layerReportSchema = z.object({
  name: z.string(),
  /** The function that is looked up; null for sums alone. */
  activation: z.string().nullable(),
  /** Gadget of its lookups; null for sums alone. */
  setting: z.number().int().nullable(),
  /** Lookups a row. */
  lookups: z.number().int(),
  /** Largest sum that the table covers, the largest of any channel. */
  range: z.number(),
  /** Root mean square of the sums' errors over that of the sums: with integer weights and tables, and with noise too. */
  integer_error: z.number(),
  simulated_error: z.number(),
  /** Sums beyond the range, of all sums. */
  out_of_range: z.number(),
}).openapi("LayerReport");

export const networkPlanSchema = planSchema.extend({
  lookups_per_row: z.number().int(),
  multiply_adds_per_row: z.number().int(),
  /** Of the server, beyond the keys: one run of as many rows as run together. */
  memory_bytes: z.number().int(),
  rows_together: z.number().int(),
  /** Of all key files that the network needs. */
  key_bytes: z.number().int(),
}).openapi("NetworkPlan");

export const scoreDescriptionSchema = z.object({
  mode: z.literal("score"),
  parameter_set: z.string(),
  input_bits: z.number().int(),
  answer_bits: z.number().int(),
  /** Keys that the server needs for a prediction. */
  capabilities: z.array(capability),
  features: z.array(treesFeature),
  /** Bits a row. */
  column_count: z.number().int(),
  ciphertexts_per_row: z.number().int(),
  /** One a score: score = offset + sum / scale with the sum in units of 2^-32 of the torus. */
  scales: z.array(z.number()),
  offsets: z.array(z.number()),
  /** Standard deviation of each score's noise, in real units. */
  deviations: z.array(z.number()),
  output: outputSchema,
  plan: networkPlanSchema,
}).openapi("ScoreDescription");

export const networkDescriptionSchema = z.object({
  mode: z.literal("network"),
  parameter_set: z.string(),
  input_bits: z.number().int(),
  answer_bits: z.number().int(),
  /** Keys that the server needs for a prediction. */
  capabilities: z.array(capability),
  features: z.array(z.object({
    ...feature,
    /** Values that the network was calibrated for, with a margin: others are refused before they are encrypted. */
    low: z.number(),
    high: z.number(),
    /** The client sends round(x * scale), in units of 2^-32 of the torus. */
    scale: z.number(),
  })),
  column_count: z.number().int(),
  ciphertexts_per_row: z.number().int(),
  outputs: z.array(z.object({
    name: z.string(),
    /** One a score: torus units of 2^-32 for a real unit. */
    scales: z.array(z.number()),
    output: outputSchema,
  })),
  /** Of the first output. */
  output: outputSchema,
  report: z.object({
    rows: z.number().int(),
    layers: z.array(layerReportSchema),
    /** Share of the rows whose label is that of the float network; null for a regression. */
    integer_agreement: z.number().nullable(),
    simulated_agreement: z.number().nullable(),
    /** Root mean square of the scores' errors over that of the scores, of the first output. */
    integer_error: z.number(),
    simulated_error: z.number(),
  }),
  plan: networkPlanSchema,
}).openapi("NetworkDescription");

export const descriptionSchema = z.discriminatedUnion("mode", [
  treesDescriptionSchema,
  linearDescriptionSchema,
  scoreDescriptionSchema,
  networkDescriptionSchema,
]);

export type TreesDescription = z.infer<typeof treesDescriptionSchema>;
export type LinearDescription = z.infer<typeof linearDescriptionSchema>;
export type ScoreDescription = z.infer<typeof scoreDescriptionSchema>;
export type NetworkDescription = z.infer<typeof networkDescriptionSchema>;
export type Description = z.infer<typeof descriptionSchema>;

/** The key files of one key pair that a prediction needs: none for linear models. */
export function capabilitiesOf(
  description: { readonly mode: string; readonly capabilities?: readonly string[] },
): readonly Capability[] {
  if (description.mode === "leaves") return ["pack"];
  return (description.capabilities ?? []) as readonly Capability[];
}
