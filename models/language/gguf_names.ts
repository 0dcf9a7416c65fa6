/**
 * A GGUF file's tensors under the names, and with the order of rows, of transformers.
 *
 * llama.cpp turns neighbouring elements of a head (2 j, 2 j + 1), transformers turns elements j and j + headSize / 2.
 * Its converter therefore permutes the rows of the query and key weights inside each head; here that is undone.
 */
import type { LlamaConfig } from "./llama_config.ts";
import { EMBEDDING, FINAL_NORM } from "./module_list.ts";
import type { TensorSource } from "./tensor_source.ts";

const LAYER_NAMES: Readonly<Record<string, string>> = {
  "input_layernorm": "attn_norm",
  "post_attention_layernorm": "ffn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};
const OTHER_NAMES: Readonly<Record<string, string>> = {
  [EMBEDDING]: "token_embd.weight",
  [FINAL_NORM]: "output_norm.weight",
  "lm_head.weight": "output.weight",
};
const LAYER_NAMES_BACK = new Map(Object.entries(LAYER_NAMES).map(([name, short]) => [short, name]));
const OTHER_NAMES_BACK = new Map(Object.entries(OTHER_NAMES).map(([name, short]) => [short, name]));

/** "model.layers.0.self_attn.q_proj.weight" -> "blk.0.attn_q.weight"; names that are not known stay. */
export function ggufName(name: string): string {
  const [, layer, path, end] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const short = LAYER_NAMES[path];
  return short ? `blk.${layer}.${short}.${end}` : OTHER_NAMES[name] ?? name;
}

/** The inverse of `ggufName`. */
export function transformersName(name: string): string {
  const [, layer, short, end] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const path = LAYER_NAMES_BACK.get(short);
  return path ? `model.layers.${layer}.${path}.${end}` : OTHER_NAMES_BACK.get(name) ?? name;
}

/** True for weights whose rows llama.cpp permutes. */
function isTurned(name: string): boolean {
  return /\.self_attn\.[qk]_proj\.weight$/.test(name);
}

/** The row of a GGUF file that holds `row` of transformers' weights. */
export function ggufRow(row: number, headSize: number): number {
  const inner = row % headSize;
  const half = headSize / 2;
  return row - inner + inner % half * 2 + Math.floor(inner / half);
}

class RenamedTensors implements TensorSource {
  constructor(private readonly source: TensorSource, private readonly config: LlamaConfig) {}

  get names(): readonly string[] {
    return this.source.names.map(transformersName);
  }
  has(name: string): boolean {
    return this.source.has(ggufName(name));
  }
  shape(name: string): readonly number[] {
    return this.source.shape(ggufName(name));
  }
  type(name: string): string {
    return this.source.type(ggufName(name));
  }

  async read(name: string): Promise<Float32Array> {
    return await (isTurned(name) ? this.rows(name, 0, this.shape(name)[0]) : this.source.read(ggufName(name)));
  }

  /** Turned rows are read by whole heads, and put in order. */
  async rows(name: string, first: number, count: number): Promise<Float32Array> {
    if (!isTurned(name) || count <= 0) return await this.source.rows(ggufName(name), first, count);
    const { headSize } = this.config;
    const columns = this.shape(name).at(-1) ?? 1;
    const start = Math.floor(first / headSize) * headSize;
    const end = Math.ceil((first + count) / headSize) * headSize;
    const heads = await this.source.rows(ggufName(name), start, end - start);
    const out = new Float32Array(count * columns);
    for (let row = 0; row < count; row++) {
      const from = (ggufRow(first + row, headSize) - start) * columns;
      out.set(heads.subarray(from, from + columns), row * columns);
    }
    return out;
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]();
  }
}

/** The tensors of a GGUF file as transformers names and orders them. Closing it closes the file. */
export function asTransformers(source: TensorSource, config: LlamaConfig): TensorSource {
  return new RenamedTensors(source, config);
}
