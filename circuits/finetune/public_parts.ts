/**
 * What a client needs of a base model, as one safetensors file: the embedding and the norms under the names of transformers, and for each module
 * `NAME.row_scales`, by which the outputs of its bytes are multiplied. All in single precision.
 */
import type { LanguageModel } from "../../models/language/mod.ts";
import { EMBEDDING, FINAL_NORM, layerNorms } from "../../models/language/module_list.ts";

/** Bytes of the embedding that are read at once. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** "model.layers.3.self_attn.q_proj" -> the name of its scales. */
export function rowScalesName(module: string): string {
  return `${module}.row_scales`;
}

interface PublicTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: () => AsyncIterable<Float32Array> | Iterable<Float32Array>;
}

/** The file, in pieces. `scales`: of every module, by its name. */
export async function* publicParts(
  model: LanguageModel,
  scales: ReadonlyMap<string, Float32Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const tensors = [...normTensors(model), embeddingTensor(model), ...scaleTensors(scales)];
  yield header(tensors);
  for (const { values } of tensors) {
    for await (const part of values()) {
      yield new Uint8Array(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength).slice();
    }
  }
}

function* normTensors({ config, tensors }: LanguageModel): Generator<PublicTensor> {
  const norm = (name: string): PublicTensor => ({
    name,
    shape: [config.hidden],
    async *values() {
      yield await tensors.read(name);
    },
  });
  for (let layer = 0; layer < config.layers; layer++) {
    const { attention, mlp } = layerNorms(layer);
    yield norm(attention);
    yield norm(mlp);
  }
  yield norm(FINAL_NORM);
}

function embeddingTensor({ config, tensors }: LanguageModel): PublicTensor {
  const { hidden, vocabulary } = config;
  const step = Math.max(1, Math.floor(WINDOW_BYTES / (4 * hidden)));
  return {
    name: EMBEDDING,
    shape: [vocabulary, hidden],
    async *values() {
      for (let row = 0; row < vocabulary; row += step) {
        yield await tensors.rows(EMBEDDING, row, Math.min(step, vocabulary - row));
      }
    },
  };
}

function* scaleTensors(scales: ReadonlyMap<string, Float32Array>): Generator<PublicTensor> {
  for (const [module, values] of scales) {
    yield { name: rowScalesName(module), shape: [values.length], values: () => [values] };
  }
}

/** The little-endian length of the JSON header, and the header, padded with spaces to a multiple of 8. */
function header(tensors: readonly PublicTensor[]): Uint8Array<ArrayBuffer> {
  const entries: Record<string, unknown> = {};
  let end = 0;
  for (const { name, shape } of tensors) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    entries[name] = { dtype: "F32", shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(entries));
  const out = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20, 8);
  new DataView(out.buffer).setBigUint64(0, BigInt(out.length - 8), true);
  out.set(text, 8);
  return out;
}

/** Scales of each module of a group, by name. */
export function moduleScales(
  modules: readonly { readonly name: string; readonly rows: number }[],
  stacked: Float32Array,
): [string, Float32Array][] {
  let row = 0;
  return modules.map(({ name, rows }) => [name, stacked.slice(row, row += rows)]);
}
