/** From a program and its statistics to a circuit: integer weights, tables, gadgets, and the noise that each step will have. */
import { SottoError } from "../../errors.ts";
import { applyActivation } from "../../models/network/activation.ts";
import type { LookupSetting } from "../backend.ts";
import { lookupInputVariance, lookupOutputVariance, torusInputVariance } from "../lookup_noise.ts";
import { type Circuit, type CircuitStep, HALF_RANGE } from "./circuit.ts";
import { type Columns, findSources, isFinal, type Sources } from "./columns.ts";
import { channelCount, outputCount, type Program, type Step } from "./program.ts";
import { chooseScales, INPUT_BITS, type Scales, WEIGHT_MAX, wholeScale } from "./scales.ts";
import type { Statistics } from "./statistics.ts";
import { shareTables, tableOf } from "./tables.ts";

/** Tables cover this many times what the calibration rows reach. */
export const DEFAULT_MARGIN = 1.25;

/** A channel that calibration hardly moves is given this share of its step's median range. */
const RANGE_SHARE = 0.5;

export interface QuantiseOptions {
  /** Ranges of tables over the largest sums of the calibration rows; default 1.25. */
  readonly margin?: number;
}

/** Variance of each element's noise by its source, while steps are made in order. */
interface Progress {
  readonly program: Program;
  readonly statistics: Statistics;
  readonly sources: Sources;
  readonly scales: Scales;
  /** By source. */
  readonly variances: number[];
}

/**
 * Makes the integer circuit of a program.
 * @throws SottoError `model_refused` with the layer's name when its weights cannot be represented
 */
export function quantise(program: Program, statistics: Statistics, options: QuantiseOptions = {}): Circuit {
  const ranges = statistics.steps.map(({ largest }) => rangesOf(largest, options.margin ?? DEFAULT_MARGIN));
  const sources = findSources(program, statistics);
  const scales = chooseScales(program, statistics, sources, ranges);
  const inputScale = scales.scales.get(sources.classOf[0])!;
  const progress = { program, statistics, sources, scales, variances: [torusInputVariance(INPUT_BITS)] };
  const steps = program.steps.map((step, index) => quantiseStep(progress, step, index, ranges[index]));
  const outputElements = Uint32Array.from(program.outputs.flatMap(({ elements }) => [...elements]));
  const outputScales = Float64Array.from(outputElements, (element) => scaleOf(element, steps, inputScale, sources));
  return {
    inputCount: program.inputCount,
    elementCount: program.elementCount,
    inputScales: sources.inputFactors.map((factor) => factor * inputScale),
    inputBits: INPUT_BITS,
    steps,
    outputElements,
    outputScales,
    outputVariance: Math.max(...[...outputElements].map((e) => progress.variances[sourceOf(e, steps)])),
  };
}

/** Ranges of the channels of a step: the margin over what was seen, and never much less than those of the other channels. */
function rangesOf(largest: Float64Array, margin: number): Float64Array {
  const median = largest.toSorted()[Math.floor(largest.length / 2)];
  return largest.map((value) => margin * Math.max(value, RANGE_SHARE * median, 1e-12));
}

function quantiseStep(progress: Progress, step: Step, index: number, ranges: Float64Array): CircuitStep {
  const { program, sources, scales } = progress;
  const channels = channelCount(step.sum);
  const final = isFinal(program, sources, index);
  const scale = scales.scales.get(sources.classOf[index + 1])!;
  const free = step.activation !== undefined || final;
  const sumScales = ranges.map((range, channel) =>
    free ? sumScale(progress, step, index, channel, HALF_RANGE / range) : scale
  );
  const weights = integerWeights(progress, step, index, sumScales);
  const reading = step.activation === undefined ? 0 : lookupInputVariance();
  const noiseVariance = sumVariance(progress, step, index, weights) + reading;
  const setting = scales.settings.get(sources.classOf[index + 1])!;
  progress.variances.push(step.activation === undefined ? noiseVariance : lookupOutputVariance(setting));
  const shift = step.activation === undefined ? 0 : HALF_RANGE;
  return {
    name: step.name,
    first: step.first,
    layer: {
      patchCount: step.sum.patchCount,
      groupCount: step.sum.groupCount,
      rowsPerGroup: step.sum.rowsPerGroup,
      depth: step.sum.depth,
      weights,
      indices: step.sum.indices,
      offsets: Uint32Array.from({ length: channels }, (_, c) => Math.round(step.sum.bias[c] * sumScales[c]) + shift),
    },
    ...(step.activation === undefined ? {} : { lookup: lookupOf(step, sumScales, scale, setting) }),
    sumScales,
    outputScales: final ? sumScales : new Float64Array(channels).fill(scale),
    noiseVariance,
    ranges,
  };
}

function lookupOf(step: Step, sumScales: Float64Array, outputScale: number, setting: LookupSetting) {
  const f = (z: number) => applyActivation(step.activation!, z);
  return { setting, ...shareTables([...sumScales], (sumScale) => tableOf(f, sumScale, outputScale)) };
}

/** The largest scale of a channel that its range and its int8 weights allow, or the one below it with less rounding. */
function sumScale(progress: Progress, step: Step, index: number, channel: number, target: number): number {
  const columns = progress.sources.columns[index];
  const terms = termsOf(progress, step, columns, channel);
  const top = terms.reduce((scale, term) => Math.min(scale, WEIGHT_MAX * term.scale / Math.abs(term.weight)), target);
  const reading = step.activation === undefined ? 0 : lookupInputVariance();
  let chosen = { scale: top, error: termsError(terms, top) + reading / top ** 2 };
  const largest = new Map<number, number>();
  for (const { weight, scale } of terms) largest.set(scale, Math.max(largest.get(scale) ?? 0, Math.abs(weight)));
  for (const [scale, weight] of largest) {
    const whole = wholeScale(top, weight, scale);
    const error = termsError(terms, whole) + reading / whole ** 2;
    if (error < chosen.error) chosen = { scale: whole, error };
  }
  return chosen.scale;
}

interface Term {
  readonly weight: number;
  readonly scale: number;
  readonly meanSquare: number;
  readonly variance: number;
}

function termsOf({ scales, variances, sources }: Progress, { sum }: Step, columns: Columns, channel: number): Term[] {
  const base = Math.floor(channel / sum.rowsPerGroup) * sum.depth;
  const worst = variancesByClass({ variances, sources });
  const terms: Term[] = [];
  for (let d = 0; d < sum.depth; d++) {
    const name = columns.classes[base + d];
    const weight = columns.weights[channel * sum.depth + d];
    if (name < 0 || weight === 0) continue;
    const [scale, variance] = [scales.scales.get(name)!, worst.get(name) ?? 0];
    terms.push({ weight, scale, variance, meanSquare: columns.meanSquare[base + d] });
  }
  return terms;
}

/** The largest variance of the sources of each class, of those that are made already. */
function variancesByClass({ variances, sources }: Pick<Progress, "variances" | "sources">): Map<number, number> {
  const worst = new Map<number, number>();
  variances.forEach((variance, source) => {
    const name = sources.classOf[source];
    worst.set(name, Math.max(worst.get(name) ?? 0, variance));
  });
  return worst;
}

/** Variance of a sum of scale t in real units: rounded weights and noise of the sources. */
function termsError(terms: readonly Term[], t: number): number {
  return terms.reduce((sum, { weight, scale, meanSquare, variance }) => {
    const exact = weight * t / scale;
    const integer = Math.round(exact);
    return sum + ((integer - exact) * scale / t) ** 2 * meanSquare + (integer / t) ** 2 * variance;
  }, 0);
}

function integerWeights({ sources, scales }: Progress, { sum, name }: Step, index: number, t: Float64Array): Int8Array {
  const { classes, weights } = sources.columns[index];
  return Int8Array.from(weights, (weight, i) => {
    const channel = Math.floor(i / sum.depth);
    const column = classes[Math.floor(channel / sum.rowsPerGroup) * sum.depth + i % sum.depth];
    if (column < 0) return 0;
    const integer = Math.round(weight * t[channel] / scales.scales.get(column)!);
    if (Math.abs(integer) <= WEIGHT_MAX) return integer;
    throw new SottoError(
      "model_refused",
      `layer "${name}": a weight of ${weight} does not fit 8 bits next to the others`,
    );
  });
}

/** Variance of the noise of the worst channel in torus units: sum_d w_d^2 V_source. */
function sumVariance({ variances, sources }: Progress, { sum }: Step, index: number, weights: Int8Array): number {
  const { classes } = sources.columns[index];
  const byClass = variancesByClass({ variances, sources });
  let worst = 0;
  for (let channel = 0; channel < channelCount(sum); channel++) {
    const base = Math.floor(channel / sum.rowsPerGroup) * sum.depth;
    let variance = 0;
    for (let d = 0; d < sum.depth; d++) {
      const name = classes[base + d];
      if (name >= 0) variance += weights[channel * sum.depth + d] ** 2 * byClass.get(name)!;
    }
    worst = Math.max(worst, variance);
  }
  return worst;
}

function sourceOf(element: number, steps: readonly CircuitStep[]): number {
  return steps.findLastIndex(({ first }) => element >= first) + 1;
}

function scaleOf(
  element: number,
  steps: readonly CircuitStep[],
  inputScale: number,
  { inputFactors }: Sources,
): number {
  const step = steps[sourceOf(element, steps) - 1];
  if (step === undefined) return inputScale * inputFactors[element];
  return step.outputScales[(element - step.first) % channelCount(step.layer)];
}

/** Outputs of a step, for one data row. */
export function stepOutputs(step: CircuitStep): number {
  return outputCount(step.layer);
}
