/** What a client holds of a base model: fetched once, kept in a folder, checked by its digest. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type GroupPlan, rowScalesName } from "../../circuits/finetune/mod.ts";
import { SottoError } from "../../errors.ts";
import {
  type LlamaConfig,
  openSafetensors,
  type TensorSource,
  Tokenizer,
  type WeightKind,
} from "../../models/language/mod.ts";
import { checkConfig } from "../../models/language/llama_config.ts";
import { EMBEDDING, FINAL_NORM, layerNorms } from "../../models/language/module_list.ts";
import type { BaseModel, FineTuningCalls } from "./fine_tuning_calls.ts";
import type { LocalWeights } from "./local_weights.ts";

export interface OpenBaseModel {
  readonly config: LlamaConfig;
  /** What the server rounded the weights to. */
  readonly weights: WeightKind;
  readonly groups: readonly GroupPlan[];
  readonly local: LocalWeights;
  readonly rowScales: ReadonlyMap<string, Float32Array>;
  readonly tokenizer: () => Promise<Tokenizer>;
}

/**
 * Opens a base model; its parts are fetched into `folder` when they are not there.
 * Throws `digest_mismatch`, `model_refused` or `malformed_file` for what does not fit.
 */
export async function openBaseModel(calls: FineTuningCalls, model: BaseModel, folder: string): Promise<OpenBaseModel> {
  const path = join(folder, `${model.public_digest}.safetensors`);
  if (!await Deno.stat(path).then(({ size }) => size === model.public_bytes, () => false)) {
    await fetchParts(calls, model, path, folder);
  }
  const config = checkConfig(model.config as unknown as LlamaConfig);
  using tensors = await openSafetensors(path);
  return {
    config,
    weights: model.weights,
    groups: model.groups,
    local: await readLocal(tensors, config),
    rowScales: await readScales(tensors, model.groups),
    tokenizer: async () => {
      const { description, special } = await calls.tokenizer(model.id);
      return new Tokenizer(description, special);
    },
  };
}

async function fetchParts(calls: FineTuningCalls, model: BaseModel, path: string, folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}`;
  const hash = createHash("sha256");
  try {
    const hashed = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        hash.update(chunk);
        controller.enqueue(chunk);
      },
    });
    const file = await Deno.open(temporary, { write: true, createNew: true });
    await (await calls.publicParts(model.id)).pipeThrough(hashed).pipeTo(file.writable);
    if (hash.digest("hex") !== model.public_digest) {
      throw new SottoError("digest_mismatch", "the base model's parts came changed: fetch them again");
    }
    await Deno.rename(temporary, path);
  } finally {
    await Deno.remove(temporary).catch(() => undefined);
  }
}

async function readLocal(tensors: TensorSource, config: LlamaConfig): Promise<LocalWeights> {
  const layers = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const { attention, mlp } = layerNorms(layer);
    layers.push({ attention: await tensors.read(attention), mlp: await tensors.read(mlp) });
  }
  return { embedding: await tensors.read(EMBEDDING), norms: { layers, final: await tensors.read(FINAL_NORM) } };
}

async function readScales(tensors: TensorSource, groups: readonly GroupPlan[]): Promise<Map<string, Float32Array>> {
  const scales = new Map<string, Float32Array>();
  for (const { name } of groups.flatMap(({ modules }) => modules)) {
    scales.set(name, await tensors.read(rowScalesName(name)));
  }
  return scales;
}
