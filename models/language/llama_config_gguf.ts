/** A Llama model's configuration from the metadata of a GGUF file. */
import { refuseModel } from "../refuse.ts";
import type { Gguf } from "./gguf.ts";
import type { Metadata } from "./gguf_metadata.ts";
import { checkConfig, type LlamaConfig } from "./llama_config.ts";
import { HEADS_MAX } from "./limits.ts";
import type { RopeScaling } from "./rope.ts";

/** The divisors that llama.cpp's converter computes from a llama3 scaling. */
const DIVISORS = "rope_freqs.weight";

function refuseOthers(metadata: Metadata): void {
  const kind = metadata.text("general.architecture");
  if (kind !== "llama") refuseModel(`The model is of the kind "${kind ?? "unknown"}"; Sotto fine-tunes llama models.`);
  const experts = metadata.number("llama.expert_count") ?? 0;
  if (experts > 0) refuseModel(`The model has ${experts} experts, which are not run.`);
  if (metadata.number("llama.attention.sliding_window")) {
    refuseModel("The model attends to a window, which is not run.");
  }
}

async function readScaling({ metadata, tensors }: Gguf): Promise<RopeScaling> {
  if (tensors.has(DIVISORS)) {
    const [count] = tensors.shape(DIVISORS);
    if (tensors.shape(DIVISORS).length !== 1 || count > HEADS_MAX) refuseModel(`${DIVISORS} is not a short list.`);
    return { kind: "divisors", divisors: [...await tensors.read(DIVISORS)] };
  }
  const kind = metadata.text("llama.rope.scaling.type") ?? "none";
  const factor = metadata.number("llama.rope.scaling.factor") ?? metadata.number("llama.rope.scale_linear") ?? 1;
  if (kind === "none" || kind === "linear") return factor === 1 ? { kind: "none" } : { kind: "linear", factor };
  return refuseModel(`The rope scaling "${kind}" is not run; linear and llama3 are.`);
}

/**
 * Reads the configuration of an open GGUF file.
 * @throws SottoError `malformed_file`, or `model_refused` for what is not a Llama model
 */
export async function readConfigGguf(gguf: Gguf): Promise<LlamaConfig> {
  const { metadata, tensors } = gguf;
  refuseOthers(metadata);
  const hidden = metadata.needNumber("llama.embedding_length");
  const heads = metadata.needNumber("llama.attention.head_count");
  const headSize = metadata.number("llama.attention.key_length") ?? hidden / heads;
  const turned = metadata.number("llama.rope.dimension_count") ?? headSize;
  if (turned !== headSize) {
    refuseModel(`The model turns ${turned} of ${headSize} elements a head; only whole heads are run.`);
  }
  return checkConfig({
    hidden,
    intermediate: metadata.needNumber("llama.feed_forward_length"),
    layers: metadata.needNumber("llama.block_count"),
    heads,
    kvHeads: metadata.number("llama.attention.head_count_kv") ?? heads,
    headSize,
    vocabulary: tensors.shape("token_embd.weight")[0],
    positions: metadata.needNumber("llama.context_length"),
    rmsEpsilon: metadata.needNumber("llama.attention.layer_norm_rms_epsilon"),
    rope: { theta: metadata.number("llama.rope.freq_base") ?? 10_000, scaling: await readScaling(gguf) },
    tiedEmbeddings: !tensors.has("output.weight"),
  });
}
