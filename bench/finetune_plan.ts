/** Bytes of fine-tuning Llama-3.2-1B by its shape alone. */
import { type GroupPlan, GroupPlanner, type InputPart, stepTraffic, type TokenMode } from "../circuits/finetune/mod.ts";
import { type LlamaConfig, moduleGroups, moduleList, WEIGHT_KINDS } from "../models/language/mod.ts";
import { TOKENS_1024 } from "../params/mod.ts";

/** Root mean square of the bytes of a row at most: the largest of about 2,000 normal weights is 3.2 deviations, and becomes 127. */
const BYTE_RMS = 40;
/** A step. */
const TOKENS = 1024;

const LLAMA_1B: LlamaConfig = {
  hidden: 2048,
  intermediate: 8192,
  layers: 16,
  heads: 32,
  kvHeads: 8,
  headSize: 64,
  vocabulary: 128_256,
  positions: 131_072,
  rmsEpsilon: 1e-5,
  rope: { theta: 500_000, scaling: { kind: "none" } },
  tiedEmbeddings: true,
};

function groups(config: LlamaConfig): GroupPlan[] {
  const planner = new GroupPlanner("int8");
  return [...moduleGroups(moduleList(config))].map(([name, modules]) => {
    const { columns } = modules[0];
    const rms = Math.min(BYTE_RMS, WEIGHT_KINDS.int8.normMax / Math.sqrt(columns));
    const norms = (parts: readonly Omit<InputPart, "norm">[]) => parts.map(({ count }) => rms * Math.sqrt(count));
    return planner.plan({
      ...{ name, modules: modules.map(({ name, rows }) => ({ name, rows })), columns },
      ...{ columnPartNorms: norms, rowPartNorms: norms },
    });
  });
}

/** Up and down, forward and backward, the output layer included. */
export function llama1bBytesPerToken(mode: TokenMode): number {
  const { upload, answers } = stepTraffic(groups(LLAMA_1B), { set: TOKENS_1024, mode, tokens: TOKENS });
  return (upload + answers) / TOKENS;
}
