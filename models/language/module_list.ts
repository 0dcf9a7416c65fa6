/** The linear layers of a Llama model, which are the modules that a server multiplies by. */
import type { LlamaConfig } from "./llama_config.ts";

/**
 * One linear layer y = W x without bias. Modules of one group have their input in common (forward), and their input's
 * gradients add up (backward).
 */
export interface LinearModule {
  /** Its path in transformers' model, as adapters name it: "model.layers.3.self_attn.q_proj", "lm_head". */
  readonly name: string;
  /** "layers.3.qkv", "layers.3.o", "layers.3.gate_up", "layers.3.down" or "output". */
  readonly group: string;
  /** The tensor of its weights in a file of transformers. */
  readonly tensor: string;
  /** Outputs. */
  readonly rows: number;
  /** Inputs. */
  readonly columns: number;
}

/** The tensor of the embedding, [vocabulary, hidden]. */
export const EMBEDDING = "model.embed_tokens.weight";
/** The tensor of the last norm, [hidden]. */
export const FINAL_NORM = "model.norm.weight";

/** The tensors of a layer's norms, each [hidden]: before attention, and before the SwiGLU. */
export function layerNorms(layer: number): { readonly attention: string; readonly mlp: string } {
  const prefix = `model.layers.${layer}`;
  return { attention: `${prefix}.input_layernorm.weight`, mlp: `${prefix}.post_attention_layernorm.weight` };
}

function layerModules(config: LlamaConfig, layer: number): LinearModule[] {
  const { hidden, intermediate } = config;
  const queries = config.heads * config.headSize;
  const keys = config.kvHeads * config.headSize;
  const make = (path: string, group: string, rows: number, columns: number): LinearModule => {
    const name = `model.layers.${layer}.${path}`;
    return { name, group: `layers.${layer}.${group}`, tensor: `${name}.weight`, rows, columns };
  };
  return [
    make("self_attn.q_proj", "qkv", queries, hidden),
    make("self_attn.k_proj", "qkv", keys, hidden),
    make("self_attn.v_proj", "qkv", keys, hidden),
    make("self_attn.o_proj", "o", hidden, queries),
    make("mlp.gate_proj", "gate_up", intermediate, hidden),
    make("mlp.up_proj", "gate_up", intermediate, hidden),
    make("mlp.down_proj", "down", hidden, intermediate),
  ];
}

/** All modules in the order of the forward pass, the output layer last. */
export function moduleList(config: LlamaConfig): LinearModule[] {
  const layers = Array.from({ length: config.layers }, (_, layer) => layerModules(config, layer)).flat();
  const tensor = config.tiedEmbeddings ? EMBEDDING : "lm_head.weight";
  return [...layers, { name: "lm_head", group: "output", tensor, rows: config.vocabulary, columns: config.hidden }];
}

/** The groups of a list of modules, in its order. */
export function moduleGroups(modules: readonly LinearModule[]): ReadonlyMap<string, readonly LinearModule[]> {
  return Map.groupBy(modules, (module) => module.group);
}

/** Every tensor that a model needs, with its shape. */
export function tensorShapes(config: LlamaConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([
    [EMBEDDING, [config.vocabulary, config.hidden]],
    [FINAL_NORM, [config.hidden]],
  ]);
  for (const { tensor, rows, columns } of moduleList(config)) shapes.set(tensor, [rows, columns]);
  for (let layer = 0; layer < config.layers; layer++) {
    const norms = layerNorms(layer);
    shapes.set(norms.attention, [config.hidden]).set(norms.mlp, [config.hidden]);
  }
  return shapes;
}
