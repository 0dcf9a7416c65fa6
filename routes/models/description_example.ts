import type { z } from "@hono/zod-openapi";
import type { treesDescriptionSchema } from "../../circuits/description.ts";

/** The description of one tree of two features, as the OpenAPI document shows it. */
export const DESCRIPTION_EXAMPLE: z.infer<typeof treesDescriptionSchema> = {
  mode: "leaves",
  parameter_set: "ring-2048-q50",
  input_bits: 48,
  answer_bits: 26,
  plaintext_modulus: 65537,
  features: [
    {
      name: "worst_radius",
      cast: "float32",
      missing: "nan",
      thresholds: [16.81999969482422],
      missing_ones: [0],
      missing_bit: false,
    },
    {
      name: "worst_texture",
      cast: "float32",
      missing: "nan",
      thresholds: [19.260000228881836, 25.479999542236328],
      missing_ones: [0, 1],
      missing_bit: false,
    },
  ],
  column_count: 3,
  ciphertexts_per_row: 1,
  trees: [{ leaf_count: 4, outputs: [0], label_offset: -0.77, label_step: 0.00001875 }],
  label_count: 1,
  label_limbs: 1,
  output: { task: "binary", transform: "logistic", base: [0.528], labels: [0, 1], threshold: 0.5 },
  plan: {
    failure_log2: -1272.4,
    noise_log2: 27.4,
    products_per_row: 1,
    keyswitches_per_row: 0,
    server_ms_per_row: 0.064,
    upload_bytes_per_row: 12320,
    answer_bytes_per_row: 6708,
  },
};
