/** The adapters of a model: one for each linear module that is tuned. */
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import type { LlamaConfig } from "../../models/language/mod.ts";
import { type LinearModule, moduleList } from "../../models/language/module_list.ts";
import { OUTPUT_GROUP } from "./linear_products.ts";
import { type LoraModule, type LoraOptions, newLora, requireLora } from "./lora.ts";
import { mixAll } from "./seeded.ts";

/** The linear modules of a layer, by the last part of their names. */
export const MODULE_NAMES: readonly string[] = [
  "q_proj",
  "k_proj",
  "v_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "down_proj",
];

export interface AdapterOptions extends LoraOptions {
  /** Names of modules, see `tunedModules`; default: all seven of every layer. */
  readonly modules?: readonly string[];
}

/** An array that the optimiser changes, and its gradient. */
export interface Parameter {
  readonly name: string;
  readonly values: Floats;
  readonly gradient: Floats;
}

export class Adapters {
  /** `modules`: "model.layers.3.self_attn.q_proj" -> its adapter, in the order of the forward pass. */
  constructor(readonly options: AdapterOptions, readonly modules: ReadonlyMap<string, LoraModule>) {
    requireLora(options);
  }

  /** Untrained adapters: the model computes as without them. Throws `configuration_invalid`. */
  static create(kernels: FloatKernels, config: LlamaConfig, options: AdapterOptions, seed: number): Adapters {
    const modules = tunedModules(config, options.modules).map(({ name, rows, columns }) =>
      [name, newLora(kernels, columns, rows, options, mixAll(seed, name))] as const
    );
    return new Adapters(options, new Map(modules));
  }

  /** A and B of every adapter, always in the same order. */
  parameters(): Parameter[] {
    return [...this.modules].flatMap(([name, { a, b, aGradient, bGradient }]) => [
      { name: `${name}.lora_A`, values: a, gradient: aGradient },
      { name: `${name}.lora_B`, values: b, gradient: bGradient },
    ]);
  }

  clearGradients(): void {
    for (const { gradient } of this.parameters()) gradient.fill(0);
  }
}

/**
 * The modules of the layers that are named: by the end of their names as PEFT does ("q_proj", "self_attn.q_proj"), or whole
 * ("model.layers.3.self_attn.q_proj"). Throws `configuration_invalid` for a name that no layer has.
 */
export function tunedModules(config: LlamaConfig, names: readonly string[] = MODULE_NAMES): LinearModule[] {
  const modules = moduleList(config).filter(({ group }) => group !== OUTPUT_GROUP);
  const isNamed = (module: LinearModule, name: string) => module.name === name || module.name.endsWith(`.${name}`);
  const unknown = names.find((name) => !modules.some((module) => isNamed(module, name)));
  if (unknown !== undefined || names.length === 0) {
    const what = unknown === undefined ? "no module is named" : `"${unknown}" is no linear module of a layer`;
    throw new SottoError("configuration_invalid", `LoRA: ${what}; choose from ${MODULE_NAMES.join(", ")}`);
  }
  return modules.filter((module) => names.some((name) => isNamed(module, name)));
}
