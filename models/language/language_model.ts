/** A Llama model whose weights lie in files: the parts of the client, and the modules of the server. */
import { refuseModel } from "../refuse.ts";
import type { LlamaConfig } from "./llama_config.ts";
import { WINDOW_BYTES } from "./limits.ts";
import { EMBEDDING, FINAL_NORM, layerNorms, type LinearModule, moduleList, tensorShapes } from "./module_list.ts";
import { planModule, type PlannedModule } from "./module_plan.ts";
import { emptyMatrix, type IntegerMatrix, quantiseInto, type WeightKind } from "./quantise.ts";
import type { TensorSource } from "./tensor_source.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Weights of RMS norms, `hidden` each. */
export interface Norms {
  readonly layers: readonly { readonly attention: Float32Array; readonly mlp: Float32Array }[];
  readonly final: Float32Array;
}

/** A module whose weights can be loaded. */
export interface LoadableModule extends LinearModule {
  /** The weights in integers, default bytes; memory is that of the answer and one window of rows. */
  load(kind?: WeightKind): Promise<IntegerMatrix>;
  /** The weights as the file holds them, in single precision. */
  loadFloats(): Promise<Float32Array>;
}

/** Tensors that say nothing that the configuration does not say. */
const IGNORED = /^(rope_freqs\.weight|.*\.rotary_emb\.inv_freq)$/;

/** @throws SottoError `model_refused` when tensors are missing, of another shape, or more than a Llama model has */
function checkTensors(config: LlamaConfig, tensors: TensorSource): void {
  const shapes = tensorShapes(config);
  for (const [name, shape] of shapes) {
    const found = tensors.shape(name);
    if (found.length !== shape.length || found.some((dimension, index) => dimension !== shape[index])) {
      refuseModel(`${name} has the shape [${found.join(", ")}], and the configuration says [${shape.join(", ")}].`);
    }
  }
  const tied = config.tiedEmbeddings ? "lm_head.weight" : "";
  const other = tensors.names.find((name) => !shapes.has(name) && !IGNORED.test(name) && name !== tied);
  if (other !== undefined) refuseModel(`The model has the tensor ${other.slice(0, 200)}, which no Llama model has.`);
}

/** An open model. Close it when its weights are loaded. */
export class LanguageModel implements Disposable {
  /**
   * @param tensors under the names of transformers
   * @throws SottoError `model_refused` when tensors and configuration do not agree
   */
  constructor(
    readonly config: LlamaConfig,
    readonly tensors: TensorSource,
    private readonly makeTokenizer: () => Promise<Tokenizer>,
  ) {
    checkTensors(config, tensors);
  }

  /**
   * The tokenizer that came with the weights.
   * @throws SottoError `file_unreadable`, `malformed_file`, or `model_refused` for what is not byte-level BPE
   */
  async tokenizer(): Promise<Tokenizer> {
    const tokenizer = await this.makeTokenizer();
    if (tokenizer.vocabulary > this.config.vocabulary) {
      refuseModel(`The tokenizer has ${tokenizer.vocabulary} tokens, and the model knows ${this.config.vocabulary}.`);
    }
    return tokenizer;
  }

  /** vocabulary x hidden, row-major. */
  embedding(): Promise<Float32Array> {
    return this.tensors.read(EMBEDDING);
  }

  async norms(): Promise<Norms> {
    const layers: Norms["layers"][number][] = [];
    for (let layer = 0; layer < this.config.layers; layer++) {
      const { attention, mlp } = layerNorms(layer);
      layers.push({ attention: await this.tensors.read(attention), mlp: await this.tensors.read(mlp) });
    }
    return { layers, final: await this.tensors.read(FINAL_NORM) };
  }

  /** The linear layers, in the order of the forward pass; the output layer is last. */
  modules(): readonly LoadableModule[] {
    return moduleList(this.config).map((module) => ({
      ...module,
      load: (kind = "int8") => this.#load(module, kind),
      loadFloats: () => this.tensors.read(module.tensor),
    }));
  }

  /**
   * What a server publishes of its modules. Reads all weights, one module at a time.
   * @param onModule told after each module, for progress
   */
  async plan(onModule: (done: number, all: number) => void = () => {}): Promise<readonly PlannedModule[]> {
    const modules = this.modules();
    const plan: PlannedModule[] = [];
    for (const module of modules) {
      plan.push(planModule(module, await module.load()));
      onModule(plan.length, modules.length);
    }
    return plan;
  }

  async #load({ tensor, rows, columns }: LinearModule, kind: WeightKind): Promise<IntegerMatrix> {
    const matrix = emptyMatrix(rows, columns, kind);
    const step = this.#rowsAtOnce(columns);
    for (let first = 0; first < rows; first += step) {
      quantiseInto(matrix, first, await this.tensors.rows(tensor, first, Math.min(step, rows - first)));
    }
    return matrix;
  }

  /** Rows of a window, in whole heads, so that no head is read twice. */
  #rowsAtOnce(columns: number): number {
    const { headSize } = this.config;
    return Math.max(1, Math.floor(WINDOW_BYTES / (4 * columns * headSize))) * headSize;
  }

  [Symbol.dispose](): void {
    this.tensors[Symbol.dispose]();
  }
}
