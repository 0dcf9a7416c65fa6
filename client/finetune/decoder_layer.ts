/**
 * One decoder layer, forward and backward:
 * y = x + o(attention(rope(q), rope(k), v)) with q, k, v = qkv(norm(x)); out = y + down(silu(gate) up) with gate, up = gate_up(norm(y)).
 */
import type { AttentionOutput, AttentionShape, FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import type { LlamaConfig } from "../../models/language/mod.ts";
import type { AdaptedProducts, Dropout } from "./adapted_products.ts";
import type { KeyCache } from "./key_cache.ts";
import { groupName } from "./linear_products.ts";
import type { LocalWeights } from "./local_weights.ts";
import { rmsNorm, rmsNormGradient } from "./rms_norm.ts";
import { rotate, type RotationTable } from "./rope.ts";

/** What the products of a layer gave, adapters included; queries and keys turned. */
interface ProductTape {
  readonly query: Floats;
  readonly key: Floats;
  readonly value: Floats;
  /** x + o(...). */
  readonly middle: Floats;
  readonly gate: Floats;
  readonly up: Floats;
}

/** What the client computes between the products. */
interface LocalTape {
  readonly attended: AttentionOutput;
}

/** What a forward pass leaves for the backward pass; what is missing is computed again. */
export interface LayerTape {
  readonly input: Floats;
  readonly products?: ProductTape;
  readonly local?: LocalTape;
}

/**
 * What is kept of a layer until its backward pass (gradient checkpointing, Chen et al. 2016), in floats a token: `inputs` hidden, and the forward products are
 * asked for again; `products` 2 hidden + queries + 2 keys + 2 intermediate, no further request, attention is computed again; `all` those and the outputs of
 * attention. SmolLM2-135M, 1,024 tokens, all layers: 71, 637 and 709 MB.
 */
export type Keep = "inputs" | "products" | "all";

/** What all layers of a pass share. */
export interface Pass {
  readonly tokens: number;
  readonly attention: AttentionShape;
  readonly rotation: RotationTable;
  readonly dropout?: Dropout;
}

export class DecoderLayer {
  readonly #kernels: FloatKernels;
  constructor(
    readonly config: LlamaConfig,
    readonly local: LocalWeights,
    readonly adapted: AdaptedProducts,
    readonly layer: number,
  ) {
    this.#kernels = adapted.kernels;
  }

  /** x: tokens x hidden. With a cache, the new keys and values are appended to it and all of its tokens are seen. */
  async forward(x: Floats, pass: Pass, keep: Keep, cache?: KeyCache): Promise<{ out: Floats; tape: LayerTape }> {
    const { products, local } = await this.#compute(x, pass, cache);
    const kept = keep === "inputs" ? {} : keep === "products" ? { products } : { products, local };
    return { out: await this.#finish(products, pass), tape: { input: x, ...kept } };
  }

  /** The gradient of the input, tokens x hidden, or nothing when it is not wanted (the first layer: embeddings are frozen). */
  async backward(dOut: Floats, tape: LayerTape, pass: Pass, inputs: boolean): Promise<Floats | undefined> {
    const { products, local } = tape.products
      ? { products: tape.products, local: tape.local }
      : await this.#compute(tape.input, pass);
    const dMiddle = await this.#feedForwardGradient(dOut, products, pass);
    return await this.#attentionGradient(dMiddle, { input: tape.input, products, local }, pass, inputs);
  }

  get #norms() {
    return this.local.norms.layers[this.layer];
  }

  #norm(x: Floats, weight: Floats): Floats {
    return rmsNorm(this.#kernels, x, weight, this.config.rmsEpsilon);
  }

  async #compute(x: Floats, pass: Pass, cache?: KeyCache) {
    const { tokens, dropout } = pass;
    const normed = this.#norm(x, this.#norms.attention);
    const [query, key, value] = await this.adapted.forward(groupName(this.layer, "qkv"), normed, tokens, dropout);
    rotate(query, pass.rotation);
    rotate(key, pass.rotation);
    const seen = cache ? cache.append(this.layer, key, value) : { key, value };
    const attended = await this.#kernels.attention(pass.attention, { query, ...seen });
    const [middle] = await this.adapted.forward(groupName(this.layer, "o"), attended.out, tokens, dropout);
    addTo(middle, x);
    const input = this.#norm(middle, this.#norms.mlp);
    const [gate, up] = await this.adapted.forward(groupName(this.layer, "gate_up"), input, tokens, dropout);
    return { products: { query, key, value, middle, gate, up }, local: { attended } };
  }

  async #finish({ gate, up, middle }: ProductTape, { tokens, dropout }: Pass): Promise<Floats> {
    const gated = await this.#kernels.swiglu(gate, up);
    const [out] = await this.adapted.forward(groupName(this.layer, "down"), gated, tokens, dropout);
    addTo(out, middle);
    return out;
  }

  async #feedForwardGradient(dOut: Floats, { gate, up, middle }: ProductTape, pass: Pass): Promise<Floats> {
    const { tokens, dropout } = pass;
    const gated = await this.#kernels.swiglu(gate, up);
    const dGated = await this.adapted.backward(groupName(this.layer, "down"), gated, [dOut], tokens, dropout);
    const gradients = await this.#kernels.swigluGradient(dGated, gate, up);
    const normed = this.#norm(middle, this.#norms.mlp);
    const dNormed = await this.adapted.backward(groupName(this.layer, "gate_up"), normed, gradients, tokens, dropout);
    const dMiddle = this.#copy(dOut);
    rmsNormGradient(dNormed, middle, this.#norms.mlp, this.config.rmsEpsilon, dMiddle);
    return dMiddle;
  }

  async #attentionGradient(
    dMiddle: Floats,
    tape: LayerTape & { products: ProductTape },
    pass: Pass,
    inputs: boolean,
  ): Promise<Floats | undefined> {
    const { tokens, dropout } = pass;
    const attended = tape.local?.attended ?? await this.#kernels.attention(pass.attention, tape.products);
    const dAttended = await this.adapted.backward(groupName(this.layer, "o"), attended.out, [dMiddle], tokens, dropout);
    const gradients = await this.#kernels.attentionGradient(pass.attention, tape.products, attended, dAttended);
    rotate(gradients.query, pass.rotation, -1);
    rotate(gradients.key, pass.rotation, -1);
    const dy = [gradients.query, gradients.key, gradients.value];
    const normed = this.#norm(tape.input, this.#norms.attention);
    const group = groupName(this.layer, "qkv");
    if (!inputs) {
      await this.adapted.adapterGradients(group, normed, dy, tokens, dropout);
      return undefined;
    }
    const dNormed = await this.adapted.backward(group, normed, dy, tokens, dropout);
    rmsNormGradient(dNormed, tape.input, this.#norms.attention, this.config.rmsEpsilon, dMiddle);
    return dMiddle;
  }

  #copy(x: Floats): Floats {
    const copy = this.#kernels.zeros(x.length);
    copy.set(x);
    return copy;
  }
}

function addTo(sum: Floats, x: Floats): void {
  for (let i = 0; i < sum.length; i++) sum[i] += x[i];
}
