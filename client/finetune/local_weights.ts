/** The frozen parts of a model that never leave the client. */
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import type { LanguageModel, LlamaConfig } from "../../models/language/mod.ts";

export interface LocalWeights {
  /** vocabulary x hidden. */
  readonly embedding: Floats;
  /** `hidden` each. */
  readonly norms: {
    readonly layers: readonly { readonly attention: Floats; readonly mlp: Floats }[];
    readonly final: Floats;
  };
}

/** Reads them from a model's files. */
export async function loadLocalWeights(model: LanguageModel): Promise<LocalWeights> {
  return { embedding: await model.embedding(), norms: await model.norms() };
}

/** Throws `model_refused` when the arrays are not of the configuration's shape. */
export function requireLocalWeights(config: LlamaConfig, { embedding, norms }: LocalWeights): void {
  const expect = (what: string, given: number, needed: number) => {
    if (given !== needed) throw new SottoError("model_refused", `${what}: ${given} values, ${needed} are needed`);
  };
  expect("the embedding", embedding.length, config.vocabulary * config.hidden);
  expect("layers with norms", norms.layers.length, config.layers);
  for (const { attention, mlp } of norms.layers) {
    expect("a norm before attention", attention.length, config.hidden);
    expect("a norm before the SwiGLU", mlp.length, config.hidden);
  }
  expect("the final norm", norms.final.length, config.hidden);
}
