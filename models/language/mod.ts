/** The folder's door: language models in files. */
export { openLanguageModel } from "./open_model.ts";
export { LanguageModel, type LoadableModule, type Norms } from "./language_model.ts";
export type { LlamaConfig } from "./llama_config.ts";
export { type Rope, ropeFrequencies, type RopeScaling } from "./rope.ts";
export { type LinearModule, moduleGroups, moduleList } from "./module_list.ts";
export { planModule, type PlannedModule } from "./module_plan.ts";
export {
  columnNorms,
  dequantise,
  type IntegerMatrix,
  integersOf,
  quantiseRows,
  WEIGHT_KINDS,
  type WeightKind,
} from "./quantise.ts";
export { type SpecialTokens, Tokenizer } from "./tokenizer.ts";
export type { TensorSource } from "./tensor_source.ts";
export { openSafetensors, openSafetensorsIndex, safetensorsMetadata } from "./safetensors.ts";
export { type Gguf, openGguf } from "./gguf.ts";
