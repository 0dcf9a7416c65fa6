/**
 * Fine-tuning on the client's side: a Llama-architecture model forward and backward around products by the frozen weights, which a server may do
 * encrypted; adapters, loss, optimiser and everything else that is private stays here.
 *
 * With `openFloatKernels` of `ffi/` these parts are native, on all cores: the matrix products of the adapters, attention and its gradient, cross-entropy,
 * the gated unit. TypeScript on the calling thread: embedding, norms, rotation, dropout, residual sums, clipping, AdamW.
 */
export type { Dropout } from "./adapted_products.ts";
export { type AdapterOptions, Adapters, MODULE_NAMES, type Parameter } from "./adapters.ts";
export { loadAdapters, saveAdapters } from "./adapter_files.ts";
export { IGNORED_LABEL, labelCount, packBlock, packBlocks, type TokenBlock, type TokenSequence } from "./block.ts";
export { type ClearModule, ClearProducts } from "./clear_products.ts";
export { type OpenBaseModel, openBaseModel } from "./base_model.ts";
export { type EncryptedParts, EncryptedProducts, type ProductTotals } from "./encrypted_products.ts";
export {
  type BaseModel,
  type BaseModelSummary,
  FineTuningCalls,
  type FineTuningSession,
  type NewFineTuning,
  placeOf,
} from "./fine_tuning_calls.ts";
export type { RunState } from "./checkpoint.ts";
export { FolderMasks, type MaskStore, MemoryMasks } from "./mask_store.ts";
export { type RetryOptions, withRetries } from "./retry.ts";
export type { Keep } from "./decoder_layer.ts";
export { generate, type GenerateOptions } from "./generate.ts";
export { learningRate, type LearningRateOptions } from "./learning_rate.ts";
export { groupName, type LayerGroup, type LinearProducts, OUTPUT_GROUP } from "./linear_products.ts";
export { type BlockLoss, type GradientOptions, Llama, type LlamaParts, type PassOptions } from "./llama.ts";
export { loadLocalWeights, type LocalWeights } from "./local_weights.ts";
export { type LoraModule, type LoraOptions, mergeLora } from "./lora.ts";
export { perplexity, type StepReport, Trainer, type TrainOptions } from "./train.ts";
export { readTexts } from "./texts.ts";
export { gradientCosines, lossGap, type RunOptions, type RunSetting, runTuning, type TunedRun } from "./tuned_run.ts";
