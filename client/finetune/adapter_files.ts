/** Adapters as PEFT keeps them: a folder with `adapter_config.json` and `adapter_model.safetensors`. */
import { join } from "node:path";
import { z } from "zod";
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import { type LlamaConfig, openSafetensors, type TensorSource } from "../../models/language/mod.ts";
import { Adapters, MODULE_NAMES, tunedModules } from "./adapters.ts";
import { type LoraModule, requireLora } from "./lora.ts";
import { encodeSafetensors } from "./safetensors_file.ts";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";

/** What is read of `adapter_config.json`: options that would change the result must be off. */
const configSchema = z.object({
  peft_type: z.literal("LORA"),
  r: z.number(),
  lora_alpha: z.number(),
  lora_dropout: z.number().default(0),
  target_modules: z.union([z.array(z.string()), z.literal("all-linear")]),
  bias: z.literal("none").default("none"),
  fan_in_fan_out: z.literal(false).default(false),
  use_rslora: z.literal(false).default(false),
  use_dora: z.literal(false).default(false),
  use_qalora: z.literal(false).default(false),
  use_bdlora: z.null().optional(),
  lora_bias: z.literal(false).default(false),
  modules_to_save: z.null().optional(),
  exclude_modules: z.null().optional(),
  layers_to_transform: z.null().optional(),
  layer_replication: z.null().optional(),
  target_parameters: z.null().optional(),
  trainable_token_indices: z.null().optional(),
  rank_pattern: z.object({}).strict().default({}),
  alpha_pattern: z.object({}).strict().default({}),
});

/** "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight" */
function tensorName(module: string, matrix: "A" | "B"): string {
  return `base_model.model.${module}.lora_${matrix}.weight`;
}

/** Writes both files into a folder, which is made when it is missing. `baseModel`: the name of the base model that PEFT should load. */
export async function saveAdapters(folder: string, adapters: Adapters, baseModel: string): Promise<void> {
  const tensors = [...adapters.modules].flatMap(([name, { rank, inputs, outputs, a, b }]) => [
    { name: tensorName(name, "A"), shape: [rank, inputs], values: a },
    { name: tensorName(name, "B"), shape: [outputs, rank], values: b },
  ]);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(join(folder, WEIGHTS_FILE), encodeSafetensors(tensors, { format: "pt" }));
  await Deno.writeTextFile(join(folder, CONFIG_FILE), JSON.stringify(peftConfig(adapters, baseModel), null, 2) + "\n");
}

/** Reads both files for a base model of this configuration. Throws `file_unreadable`, `malformed_file` or `model_refused`. */
export async function loadAdapters(folder: string, kernels: FloatKernels, config: LlamaConfig): Promise<Adapters> {
  const saved = await readConfig(join(folder, CONFIG_FILE));
  const modules = saved.target_modules === "all-linear" ? MODULE_NAMES : saved.target_modules;
  const options = requireLora({ rank: saved.r, alpha: saved.lora_alpha, dropout: saved.lora_dropout });
  using tensors = await openSafetensors(join(folder, WEIGHTS_FILE));
  const loaded = new Map<string, LoraModule>();
  for (const { name, rows, columns } of tunedModules(config, modules)) {
    const a = await readMatrix(kernels, tensors, tensorName(name, "A"), [options.rank, columns]);
    const b = await readMatrix(kernels, tensors, tensorName(name, "B"), [rows, options.rank]);
    const gradients = { aGradient: kernels.zeros(a.length), bGradient: kernels.zeros(b.length) };
    const scale = options.alpha / options.rank;
    loaded.set(name, { rank: options.rank, inputs: columns, outputs: rows, scale, a, b, ...gradients });
  }
  if (tensors.names.length !== 2 * loaded.size) {
    throw new SottoError(
      "model_refused",
      `${WEIGHTS_FILE} has tensors that adapters of ${modules.join(", ")} have not`,
    );
  }
  return new Adapters({ ...options, modules }, loaded);
}

function peftConfig({ options }: Adapters, baseModel: string) {
  return {
    base_model_name_or_path: baseModel,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: options.alpha,
    lora_dropout: options.dropout ?? 0,
    modules_to_save: null,
    peft_type: "LORA",
    r: options.rank,
    target_modules: options.modules ?? MODULE_NAMES,
    task_type: "CAUSAL_LM",
  };
}

async function readConfig(path: string) {
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new SottoError("file_unreadable", `${path} cannot be read: give the folder that the adapters lie in`, {
      cause,
    });
  });
  const parsed = configSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SottoError(
    "model_refused",
    `${path}: ${issue.path.join(".")}: ${issue.message}; only plain LoRA without bias is read`,
  );
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SottoError("malformed_file", `${path} is not JSON`, { cause });
  }
}

async function readMatrix(
  kernels: FloatKernels,
  tensors: TensorSource,
  name: string,
  shape: readonly number[],
): Promise<Floats> {
  const found = tensors.shape(name);
  if (found.length !== 2 || found.some((size, i) => size !== shape[i])) {
    throw new SottoError(
      "model_refused",
      `${name} is ${found.join(" x ")}, ${shape.join(" x ")} is needed: these adapters are of another model`,
    );
  }
  const values = kernels.zeros(shape[0] * shape[1]);
  values.set(await tensors.read(name));
  return values;
}
