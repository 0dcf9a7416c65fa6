/**
 * Tree models in mode `score`: the client sends threshold bits, the server answers the sums of the leaf values and nothing else. Lookups
 * (programmable bootstrapping: Chillotti et al., TFHE, J. Cryptology 33, 2020) turn the decisions of small groups of splits into leaf
 * values; see `score_lookups.ts` for what one lookup computes, `score_cover.ts` for how a tree is divided.
 */
import { SottoError } from "../errors.ts";
import type { ForestModel } from "../models/types.ts";
import { CURRENT } from "../params/mod.ts";
import type { Capability, LookupSetting, NetworkCosts } from "./backend.ts";
import type { ScoreDescription } from "./description.ts";
import { evaluationKeysBytes, inputRecordBytes, lookupKeysBytes, lweAnswerLayout, packLevels } from "./layout.ts";
import { scoreError } from "./leaf_labels.ts";
import { lookupOutputVariance, TORUS } from "./lookup_noise.ts";
import { layOut } from "./network/arena.ts";
import type { Circuit } from "./network/circuit.ts";
import { circuitCost, lookupCounts } from "./network/cost.ts";
import { memoryBytes } from "./network/plan.ts";
import { outputCount } from "./network/program.ts";
import { rowsTogether } from "./network/run.ts";
import { answerRoundingVariance, failureLog2, FLOOD_LOG, keyswitchVariance, packVariance } from "./noise.ts";
import { HALF_SLOT, lookupsPerScore, scoreCircuit, scoreScales } from "./score_circuit.ts";
import { type ScoreForest, scoreForest } from "./score_forest.ts";
import { fixedPointErrors } from "./score_remainder.ts";

/** Largest log2 of the probability that any lookup of one row reads a wrong slot. */
export const SCORE_FAILURE_LOG2_MAX = -64;

const ANSWER_BITS = 26;
/** How many deviations of a score's noise must be within the error that it may have. */
const DEVIATIONS = 6;
const SETTINGS: readonly LookupSetting[] = [1, 2, 3];

export interface ScoreOptions {
  /** The name that files carry when it is not the set's own: that of the plain back end in tests. */
  readonly parameterSet?: string;
}

export interface ScorePlan {
  readonly description: ScoreDescription;
  readonly circuit: Circuit;
}

/**
 * Compiles a forest and computes its cost and its noise before anything runs.
 * @throws SottoError `model_refused` when it needs too many lookups, or a wrong slot would be read more often than once in 2^64 rows
 */
export function planScore(model: ForestModel, costs: NetworkCosts, options: ScoreOptions = {}): ScorePlan {
  const forest = scoreForest(model);
  const scales = scoreScales(forest);
  const circuit = scoreCircuit(forest, settingFor(model, forest, scales));
  const failure = scoreFailure(circuit);
  if (!(failure <= SCORE_FAILURE_LOG2_MAX)) {
    throw new SottoError(
      "model_refused",
      `a lookup of a row would read a wrong value with probability 2^${failure.toFixed(1)}, the limit is ` +
        `2^${SCORE_FAILURE_LOG2_MAX}: use mode leaves, or fewer or smaller trees`,
    );
  }
  const settings = Object.entries(lookupCounts(circuit)).filter(([, count]) => count > 0);
  const capabilities: Capability[] = ["pack", ...settings.map(([setting]) => `lookup${setting}` as Capability)];
  const description: ScoreDescription = {
    mode: "score",
    parameter_set: options.parameterSet ?? CURRENT.name,
    input_bits: circuit.inputBits,
    answer_bits: ANSWER_BITS,
    capabilities,
    features: forest.features,
    column_count: circuit.inputCount,
    ciphertexts_per_row: Math.ceil(circuit.inputCount / CURRENT.ringDegree),
    scales,
    offsets: [...forest.offsets],
    deviations: deviations(forest, scales, circuit),
    output: { ...model.output, base: [...model.output.base], labels: [...model.output.labels] },
    plan: costPlan(circuit, costs, failure, capabilities),
  };
  return { description, circuit };
}

/**
 * The cheapest setting that no score needs finer. A score is fine when the noise of its lookups is no more than what the answer adds anyway,
 * or when `DEVIATIONS` deviations of it are within the error that the output's transform allows or the fixed point of mode `leaves`.
 */
function settingFor(model: ForestModel, forest: ScoreForest, scales: readonly number[]): LookupSetting {
  const counts = lookupsPerScore(forest);
  const answer = Math.sqrt(answerVariance(scales.length));
  const allowed = fixedPointErrors(model).map((error) => Math.max(error, scoreError(model)));
  const fine = (setting: LookupSetting) =>
    counts.every((count, score) => {
      const noise = Math.sqrt(count * lookupOutputVariance(setting));
      return noise <= answer || DEVIATIONS * noise <= allowed[score] * scales[score];
    });
  return SETTINGS.find(fine) ?? 3;
}

function scoreFailure(circuit: Circuit): number {
  const total = circuit.steps.reduce((sum, step) => {
    if (step.lookup === undefined) return sum;
    return sum + 2 ** failureLog2(Math.sqrt(step.noiseVariance), HALF_SLOT, outputCount(step.layer));
  }, 0);
  return Math.max(-1074, Math.log2(total));
}

/** Variance that packing, randomising and rounding an answer add, torus units. */
function answerVariance(outputs: number): number {
  const packing = packVariance(CURRENT, CURRENT.gadgets.trees, packLevels(outputs));
  const variance = packing + keyswitchVariance(CURRENT, CURRENT.gadgets.trees) +
    answerRoundingVariance(CURRENT, ANSWER_BITS) + 4 ** FLOOD_LOG / 3;
  return variance * (TORUS / Number(CURRENT.modulus)) ** 2;
}

/** Standard deviation of the noise of each score in real units. */
function deviations(forest: ScoreForest, scales: readonly number[], circuit: Circuit): number[] {
  const answer = answerVariance(scales.length);
  const setting = SETTINGS.find((setting) => lookupCounts(circuit)[setting] > 0);
  const each = setting === undefined ? 0 : lookupOutputVariance(setting);
  return lookupsPerScore(forest).map((count, score) => {
    return forest.spans[score] === 0 ? 0 : Math.sqrt(count * each + answer) / scales[score];
  });
}

function costPlan(
  circuit: Circuit,
  costs: NetworkCosts,
  failure: number,
  capabilities: readonly Capability[],
): ScoreDescription["plan"] {
  const outputs = circuit.outputElements.length;
  const counts = lookupCounts(circuit);
  const products = circuit.steps.reduce((sum, { layer }) => sum + outputCount(layer) * layer.depth, 0);
  const keyBytes = (name: Capability) =>
    name === "pack" ? evaluationKeysBytes() : lookupKeysBytes(Number(name.slice("lookup".length)) as LookupSetting);
  return {
    failure_log2: failure,
    noise_log2: Math.log2(Math.sqrt(circuit.outputVariance + answerVariance(outputs))),
    products_per_row: products,
    keyswitches_per_row: outputs - 1,
    server_ms_per_row: circuitCost(circuit, costs) / 1e6,
    upload_bytes_per_row: Math.ceil(circuit.inputCount / CURRENT.ringDegree) * inputRecordBytes(circuit.inputBits),
    answer_bytes_per_row: lweAnswerLayout(outputs, ANSWER_BITS).recordBytes,
    lookups_per_row: counts[1] + counts[2] + counts[3],
    multiply_adds_per_row: products,
    memory_bytes: memoryBytes(circuit),
    rows_together: rowsTogether(circuit, layOut(circuit)),
    key_bytes: capabilities.reduce((sum, name) => sum + keyBytes(name), 0),
  };
}
