/**
 * Float networks without retraining (after arXiv 2302.10906, whose quantised tables become real-valued ones): lowered to sums and tables,
 * scaled by calibration rows, with cost, memory and failure known before anything runs.
 */
import { SottoError } from "../../errors.ts";
import type { NetworkModel } from "../../models/network/types.ts";
import { CURRENT, CURRENT_LWE } from "../../params/mod.ts";
import type { Capability, LookupSetting, NetworkCosts } from "../backend.ts";
import type { NetworkDescription } from "../description.ts";
import { evaluationKeysBytes, inputRecordBytes, lookupGadget, lookupKeysBytes, lweAnswerLayout } from "../layout.ts";
import { answerRoundingVariance, failureLog2, FLOOD_LOG, keyswitchVariance, packVariance } from "../noise.ts";
import { layOut, LWE_BYTES } from "./arena.ts";
import { type Circuit, type CircuitStep, HALF_RANGE } from "./circuit.ts";
import { circuitCost, lookupCounts } from "./cost.ts";
import { lower } from "./lower.ts";
import { multiplyAdds, outputCount, type Program } from "./program.ts";
import { quantise, type QuantiseOptions } from "./quantise.ts";
import { refreshed } from "./refresh.ts";
import { type NetworkReport, report } from "./report.ts";
import { rowsTogether } from "./run.ts";
import { measure, type Statistics } from "./statistics.ts";

/** Largest log2 of the probability that noise moves any sum of one row out of its table, for rows like the calibration rows. */
export const NETWORK_FAILURE_LOG2_MAX = -64;

/** Error of the scores, relative to them, above which refreshing sums is tried; and above which a network is of no use. */
const REFRESH_ERROR = 0.1;
const ERROR_MAX = 0.5;

/** Calibration rows on which drafts are compared, always the same ones: a plan made again is the same plan. */
const DRAFT_ROWS = 32;

/** Bits of an answer coefficient: the rounding stays far below the noise of an output. */
const ANSWER_BITS = 24;

export interface NetworkOptions extends QuantiseOptions {
  /** The name that files carry when it is not the set's own: that of the plain back end in tests. */
  readonly parameterSet?: string;
  /** Calibration rows of the report in the description; absent: as few as planning itself looks at. */
  readonly reportRows?: number;
  /** Bytes that one run may take on this server. */
  readonly maxMemoryBytes?: number;
}

export interface NetworkPlan {
  readonly description: NetworkDescription;
  readonly circuit: Circuit;
}

/**
 * Plans a network for rows like `rows`.
 * @param rows calibration rows, one value a feature
 * @throws SottoError `model_refused` naming the layer and the number: weights that do not fit, a failure above 2^-64, more outputs than one
 * answer holds, more memory than allowed
 */
export function planNetwork(
  model: NetworkModel,
  rows: readonly ArrayLike<number>[],
  costs: NetworkCosts,
  options: NetworkOptions = {},
): NetworkPlan {
  const { program, statistics, circuit, losses } = mostExact(lower(model), rows, options);
  requireUseful(losses);
  requireFits(circuit, options.maxMemoryBytes ?? Infinity);
  const failure = networkFailure(circuit, statistics);
  const capabilities = capabilitiesOf(circuit);
  const description: NetworkDescription = {
    mode: "network",
    parameter_set: options.parameterSet ?? CURRENT.name,
    input_bits: circuit.inputBits,
    answer_bits: ANSWER_BITS,
    capabilities,
    features: featuresOf(model, circuit, statistics),
    column_count: circuit.inputCount,
    ciphertexts_per_row: Math.ceil(circuit.inputCount / CURRENT.ringDegree),
    outputs: outputsOf(program, circuit),
    output: copyOutput(model.outputs[0].output),
    report: options.reportRows === undefined ? losses : report(program, circuit, rows, options.reportRows),
    plan: costPlan(program, circuit, costs, failure, capabilities),
  };
  return { description, circuit };
}

interface Draft {
  readonly program: Program;
  readonly statistics: Statistics;
  readonly circuit: Circuit;
  readonly losses: NetworkReport;
}

/** The circuit of the program, or of its refreshed form where that more than halves a considerable error. */
function mostExact(program: Program, rows: readonly ArrayLike<number>[], options: QuantiseOptions): Draft {
  const first = draft(program, rows, options);
  if (first.losses.simulated_error <= REFRESH_ERROR) return first;
  const second = refreshed(program);
  if (second === program) return first;
  const other = draft(second, rows, options);
  return other.losses.simulated_error < first.losses.simulated_error / 2 ? other : first;
}

function draft(program: Program, rows: readonly ArrayLike<number>[], options: QuantiseOptions): Draft {
  const statistics = measure(program, rows);
  const circuit = quantise(program, statistics, options);
  return { program, statistics, circuit, losses: report(program, circuit, rows, DRAFT_ROWS) };
}

/** @throws SottoError `model_refused` naming the layer that loses most */
function requireUseful({ simulated_error, layers }: NetworkReport): void {
  if (simulated_error <= ERROR_MAX) return;
  const worst = layers.find((layer) => layer.simulated_error > ERROR_MAX / 2) ?? layers[layers.length - 1];
  throw new SottoError(
    "model_refused",
    `layer "${worst.name}": integers of 8 bits and noise would leave an error of ${
      (100 * worst.simulated_error).toFixed(0)
    } % of its values: put an activation between its sums, or scale its weights`,
  );
}

function featuresOf(model: NetworkModel, circuit: Circuit, { input }: Statistics): NetworkDescription["features"] {
  const widths = circuit.inputScales.map((scale, i) => (input.high[i] - input.low[i]) * scale);
  const widest = widths.reduce((a, b) => Math.max(a, b), 0);
  return model.features.map(({ name, cast, missing }, i) => {
    const slack = widest / circuit.inputScales[i];
    const [low, high] = [input.low[i] - slack, input.high[i] + slack];
    return { name, cast, missing, low, high, scale: circuit.inputScales[i] };
  });
}

function outputsOf(program: Program, circuit: Circuit): NetworkDescription["outputs"] {
  let at = 0;
  return program.outputs.map(({ name, elements, output }) => {
    const scales = [...circuit.outputScales.subarray(at, at += elements.length)];
    return { name, scales, output: copyOutput(output) };
  });
}

function copyOutput(output: NetworkModel["outputs"][number]["output"]): NetworkDescription["output"] {
  return { ...output, base: [...output.base], labels: [...output.labels] };
}

function costPlan(
  program: Program,
  circuit: Circuit,
  costs: NetworkCosts,
  failure: number,
  capabilities: readonly Capability[],
): NetworkDescription["plan"] {
  const counts = lookupCounts(circuit);
  const answer = lweAnswerLayout(circuit.outputElements.length, ANSWER_BITS);
  const ciphertexts = Math.ceil(circuit.inputCount / CURRENT.ringDegree);
  const products = program.steps.reduce((sum, step) => sum + multiplyAdds(step.sum), 0);
  return {
    failure_log2: failure,
    noise_log2: Math.log2(outputDeviation(circuit)),
    products_per_row: products,
    keyswitches_per_row: circuit.outputElements.length - 1,
    server_ms_per_row: circuitCost(circuit, costs) / 1e6,
    upload_bytes_per_row: ciphertexts * inputRecordBytes(circuit.inputBits),
    answer_bytes_per_row: answer.recordBytes,
    lookups_per_row: counts[1] + counts[2] + counts[3],
    multiply_adds_per_row: products,
    memory_bytes: memoryBytes(circuit),
    rows_together: rowsTogether(circuit, layOut(circuit)),
    key_bytes: capabilities.reduce((sum, name) => sum + capabilityBytes(name), 0),
  };
}

/** Noise of an output in torus units: that of its sums, the packing and the rounding of the answer. */
function outputDeviation(circuit: Circuit): number {
  const unit = (2 ** 32 / Number(CURRENT.modulus)) ** 2;
  const levels = Math.ceil(Math.log2(Math.max(1, circuit.outputElements.length)));
  const packing = levels === 0 ? 0 : packVariance(CURRENT, CURRENT.gadgets.trees, levels);
  const answer = packing + keyswitchVariance(CURRENT, CURRENT.gadgets.trees) +
    answerRoundingVariance(CURRENT, ANSWER_BITS) + 4 ** FLOOD_LOG / 3;
  return Math.sqrt(circuit.outputVariance + answer * unit);
}

/**
 * log2 of the probability that noise moves any sum of a row out of its table although the row's own sums stay within what the calibration
 * rows reached. @throws SottoError `model_refused`
 */
function networkFailure(circuit: Circuit, statistics: Statistics): number {
  let total = 0;
  circuit.steps.forEach((step, i) => {
    if (step.lookup === undefined) return;
    const failure = stepFailure(step, statistics.steps[i].largest);
    if (!(failure <= NETWORK_FAILURE_LOG2_MAX)) {
      throw new SottoError(
        "model_refused",
        `layer "${step.name}": noise moves a sum out of its table with probability 2^${failure.toFixed(1)} a row, ` +
          `the limit is 2^${NETWORK_FAILURE_LOG2_MAX}: import with a larger margin`,
      );
    }
    total += 2 ** failure;
  });
  return total === 0 ? -1074 : Math.log2(total);
}

function stepFailure(step: CircuitStep, largest: Float64Array): number {
  const reached = largest.reduce((most, value, channel) => Math.max(most, value * step.sumScales[channel]), 0);
  return failureLog2(Math.sqrt(step.noiseVariance), HALF_RANGE - reached, outputCount(step.layer));
}

function requireFits(circuit: Circuit, maxMemoryBytes: number): void {
  if (circuit.outputElements.length > CURRENT.ringDegree) {
    throw new SottoError(
      "model_refused",
      `the network has ${circuit.outputElements.length} outputs, one answer holds ${CURRENT.ringDegree}: export fewer`,
    );
  }
  const bytes = memoryBytes(circuit);
  if (bytes <= maxMemoryBytes) return;
  const widest = circuit.steps.reduce((a, b) => outputCount(b.layer) > outputCount(a.layer) ? b : a);
  throw new SottoError(
    "model_refused",
    `the network needs ${megabytes(bytes)} a run and may take ${megabytes(maxMemoryBytes)}; its widest layer is ` +
      `"${widest.name}" with ${outputCount(widest.layer)} values of ${LWE_BYTES} bytes: allow more or make it narrower`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** Ciphertexts of one run, prepared weights and tables, and the keys. */
export function memoryBytes(circuit: Circuit): number {
  const arena = layOut(circuit);
  const ciphertexts = arena.slotCount * rowsTogether(circuit, arena) * LWE_BYTES;
  const layers = circuit.steps.reduce((sum, { layer, lookup }) => {
    return sum + layer.weights.byteLength + layer.indices.byteLength + (lookup?.tables.byteLength ?? 0);
  }, 0);
  const settings = new Set(circuit.steps.flatMap(({ lookup }) => lookup ? [lookup.setting] : []));
  return ciphertexts + layers + [...settings].reduce((sum, setting) => sum + residentKeyBytes(setting), 0);
}

/** Prepared lookup keys: 64-bit coefficients of masks and bodies, and the key of the switch. */
function residentKeyBytes(setting: LookupSetting): number {
  const { ringDegree } = CURRENT;
  const rotation = CURRENT_LWE.dimension * 2 * lookupGadget(setting).levelCount * 2 * ringDegree * 8;
  return rotation + ringDegree * CURRENT_LWE.keyswitch.levelCount * (CURRENT_LWE.dimension + 1) * 4;
}

function capabilitiesOf(circuit: Circuit): Capability[] {
  const settings = new Set(circuit.steps.flatMap(({ lookup }) => lookup ? [lookup.setting] : []));
  return ["pack", ...[...settings].sort().map((setting): Capability => `lookup${setting}`)];
}

/** Bytes of a key file's payload. */
function capabilityBytes(capability: Capability): number {
  return capability === "pack"
    ? evaluationKeysBytes()
    : lookupKeysBytes(Number(capability.slice("lookup".length)) as LookupSetting);
}
