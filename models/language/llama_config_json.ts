/** A Llama model's configuration from the `config.json` of Hugging Face transformers. */
import { z } from "@hono/zod-openapi";
import { decoding, refuseFile, refuseModel } from "../refuse.ts";
import { checkConfig, type LlamaConfig } from "./llama_config.ts";
import type { Rope } from "./rope.ts";

const size = z.number().int().positive();
const truth = z.boolean().nullish();
const ropeSchema = z.looseObject({
  rope_type: z.string().max(64).optional(),
  type: z.string().max(64).optional(),
  rope_theta: z.number().nullish(),
  factor: z.number().optional(),
  low_freq_factor: z.number().optional(),
  high_freq_factor: z.number().optional(),
  original_max_position_embeddings: z.number().optional(),
  partial_rotary_factor: z.number().nullish(),
});
type RopeFields = z.infer<typeof ropeSchema>;

const configSchema = z.looseObject({
  model_type: z.string().max(64),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().default(1e-6),
  hidden_act: z.string().max(64).default("silu"),
  tie_word_embeddings: truth,
  attention_bias: truth,
  mlp_bias: truth,
  sliding_window: z.number().nullish(),
  partial_rotary_factor: z.number().nullish(),
  rope_theta: z.number().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  quantization_config: z.unknown().optional(),
});
type Fields = z.infer<typeof configSchema>;

/** Kinds of models whose layers are those of Llama, when nothing below is refused. */
const KINDS = ["llama", "mistral"];

function refuseOthers(fields: Fields): void {
  if (!KINDS.includes(fields.model_type)) {
    refuseModel(`The model is of the kind "${fields.model_type}"; Sotto fine-tunes ${KINDS.join(" and ")} models.`);
  }
  if (fields.hidden_act !== "silu") refuseModel(`The activation "${fields.hidden_act}" is not run; only silu is.`);
  if (fields.attention_bias || fields.mlp_bias) {
    refuseModel("The model has biases in its linear layers, which are not run.");
  }
  if (typeof fields.sliding_window === "number" && fields.sliding_window < fields.max_position_embeddings) {
    refuseModel(`The model attends to a window of ${fields.sliding_window} tokens, which is not run.`);
  }
  if (fields.quantization_config) refuseModel("The model is quantised already; name its unquantised files.");
}

function need(value: number | undefined, name: string): number {
  return value ?? refuseModel(`The rope scaling of the model lacks ${name}.`);
}

function readRope(fields: Fields): Rope {
  const scaling: RopeFields = fields.rope_parameters ?? fields.rope_scaling ?? {};
  const theta = scaling.rope_theta ?? fields.rope_theta ?? 10_000;
  const part = scaling.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1;
  if (part !== 1) refuseModel(`The model turns ${part} of each head; only whole heads are run.`);
  const kind = scaling.rope_type ?? scaling.type ?? "default";
  if (kind === "default") return { theta, scaling: { kind: "none" } };
  if (kind === "linear") return { theta, scaling: { kind, factor: need(scaling.factor, "factor") } };
  if (kind !== "llama3") return refuseModel(`The rope scaling "${kind}" is not run; default, linear and llama3 are.`);
  return {
    theta,
    scaling: {
      kind,
      factor: need(scaling.factor, "factor"),
      lowFactor: need(scaling.low_freq_factor, "low_freq_factor"),
      highFactor: need(scaling.high_freq_factor, "high_freq_factor"),
      originalPositions: need(scaling.original_max_position_embeddings, "original_max_position_embeddings"),
    },
  };
}

/**
 * Reads the text of a `config.json`.
 * @throws SottoError `malformed_file`, or `model_refused` for what is not a Llama model
 */
export function readConfigJson(text: string): LlamaConfig {
  const json = decoding("a config.json", () => JSON.parse(text));
  const kind = json?.model_type;
  if (typeof kind === "string" && !KINDS.includes(kind)) {
    refuseModel(`The model is of the kind "${kind.slice(0, 64)}"; Sotto fine-tunes ${KINDS.join(" and ")} models.`);
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    return refuseFile(`The config.json is none of a Llama model: ${path.join(".")}: ${message}.`);
  }
  const fields = parsed.data;
  refuseOthers(fields);
  return checkConfig({
    hidden: fields.hidden_size,
    intermediate: fields.intermediate_size,
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    kvHeads: fields.num_key_value_heads ?? fields.num_attention_heads,
    headSize: fields.head_dim ?? fields.hidden_size / fields.num_attention_heads,
    vocabulary: fields.vocab_size,
    positions: fields.max_position_embeddings,
    rmsEpsilon: fields.rms_norm_eps,
    rope: readRope(fields),
    tiedEmbeddings: fields.tie_word_embeddings ?? false,
  });
}
