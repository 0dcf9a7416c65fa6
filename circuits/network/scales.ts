/**
 * The scale of every source: how many torus units stand for a real unit of the input and of each step's outputs.
 *
 * A sum z with weights w, reading sources of scale S, has the integer weights round(w t / S) for its own scale t <= 2^30 / range, so
 * that it fills the half torus of its table. A large S makes the noise of the sources small and the integer weights coarse. Every class
 * of sources takes the S, and the cheapest gadget, for which the expected error of the sums that read it,
 *   V = sum_d (rounding_d S / t)^2 E[x_d^2] + (integer_d / t)^2 V_source + V_reading / t^2   relative to range^2,
 * is least.
 */
import type { LookupSetting } from "../backend.ts";
import { lookupInputVariance, lookupOutputVariance, torusInputVariance } from "../lookup_noise.ts";
import { HALF_RANGE } from "./circuit.ts";
import { type Columns, isFinal, type Sources } from "./columns.ts";
import { channelCount, outputCount, type Program, type Step } from "./program.ts";
import type { Statistics } from "./statistics.ts";

/** Largest |integer weight|. */
export const WEIGHT_MAX = 127;
/** Largest |integer| of an output: it must not wrap. */
const VALUE_MAX = 2 ** 30.9;
/** Expected error of sums, relative to their range, that is always good enough: where they are read or decrypted, and where summed on. */
const ERROR_GOOD = { read: 0.004, summed: 0.01 };
/** How much worse than the best gadget is good enough. */
const ERROR_WORSE = 1.5;
/** Relative time of a lookup, and how much more time one gadget for all may take. */
const SETTING_COST: Record<LookupSetting, number> = { 1: 1, 2: 1.7, 3: 2.5 };
const ONE_SETTING_COST = 1.4;
/** A first guess of the noise of sums that are summed again: deviation 2^-17 of the torus. Their real noise is known later. */
const SUM_VARIANCE = 2 ** 30;
/** Weights that one evaluation of an error looks at, at most: more channels are sampled. */
const SAMPLE = 200_000;

/** Bits of an uploaded coefficient: its rounding stays below the noise of the switch to the torus. */
export const INPUT_BITS = 32;

export interface Scales {
  /** Torus units of a real unit, by class. */
  readonly scales: ReadonlyMap<number, number>;
  /** Gadget of the lookups whose outputs are in the class. */
  readonly settings: ReadonlyMap<number, LookupSetting>;
}

/** A sum that reads a class. */
interface Reader {
  readonly step: Step;
  readonly columns: Columns;
  /** Scale that each channel would like to have. */
  readonly targets: Float64Array;
  readonly ranges: Float64Array;
  /** The scale is prescribed: other steps count on it. */
  readonly exact: boolean;
  readonly readingVariance: number;
}

/**
 * Chooses scales and gadgets; `ranges` are the largest |sums| of each step's channels that the tables must cover. Where lookups of a cheaper
 * gadget save little, all take the same one: a client then uploads one file of lookup keys.
 */
export function chooseScales(
  program: Program,
  statistics: Statistics,
  sources: Sources,
  ranges: readonly Float64Array[],
): Scales {
  const free = scalesFrom(program, statistics, sources, ranges, 1);
  const used = program.steps.flatMap((step, i) => {
    if (step.activation === undefined) return [];
    return [{ setting: free.settings.get(sources.classOf[i + 1])!, count: outputCount(step.sum) }];
  });
  const most = Math.max(1, ...used.map(({ setting }) => setting)) as LookupSetting;
  const cost = used.reduce((sum, { setting, count }) => sum + SETTING_COST[setting] * count, 0);
  const raised = used.reduce((sum, { count }) => sum + SETTING_COST[most] * count, 0);
  if (cost === raised || raised > ONE_SETTING_COST * cost) return free;
  return scalesFrom(program, statistics, sources, ranges, most);
}

function scalesFrom(
  program: Program,
  statistics: Statistics,
  sources: Sources,
  ranges: readonly Float64Array[],
  least: LookupSetting,
): Scales {
  const scales = new Map<number, number>(), settings = new Map<number, LookupSetting>();
  const classes = [...new Set(sources.classOf)].reverse();
  for (let sweep = 0, changed = true; changed && sweep < 20; sweep++) {
    changed = false;
    for (const name of classes) {
      const readers = readersOf(program, sources, ranges, scales, name);
      const most = largestOf(program, statistics, sources, name);
      const chosen = choose(name, readers, VALUE_MAX / most, lookupsIn(program, sources, name) ? least : undefined);
      if (chosen.scale === scales.get(name) && chosen.setting === settings.get(name)) continue;
      changed = true;
      scales.set(name, chosen.scale);
      settings.set(name, chosen.setting);
    }
  }
  return { scales, settings };
}

function readersOf(
  program: Program,
  sources: Sources,
  ranges: readonly Float64Array[],
  scales: ReadonlyMap<number, number>,
  name: number,
): Reader[] {
  return (sources.readers.get(name) ?? []).flatMap((index) => {
    const step = program.steps[index];
    const own = sources.classOf[index + 1];
    const free = step.activation !== undefined || isFinal(program, sources, index);
    if (!free && (own === name || !scales.has(own))) return [];
    const targets = ranges[index].map((range) => free ? HALF_RANGE / range : scales.get(own)!);
    const readingVariance = step.activation === undefined ? 0 : lookupInputVariance();
    return [{ step, columns: sources.columns[index], targets, ranges: ranges[index], exact: !free, readingVariance }];
  });
}

/** Largest |value| of a class, inputs times their factors. */
function largestOf(program: Program, statistics: Statistics, sources: Sources, name: number): number {
  const steps = program.steps.map((_, i) =>
    sources.classOf[i + 1] === name ? statistics.steps[i].outputLargest * 1.25 : 0
  );
  const { low, high } = statistics.input;
  const inputs = sources.classOf[0] !== name
    ? []
    : [...low].map((value, i) => 4 * Math.max(-value, high[i]) * sources.inputFactors[i]);
  return Math.max(1e-30, ...steps, inputs.reduce((a, b) => Math.max(a, b), 0));
}

function lookupsIn(program: Program, sources: Sources, name: number): boolean {
  return program.steps.some((step, i) => step.activation !== undefined && sources.classOf[i + 1] === name);
}

function choose(
  name: number,
  readers: readonly Reader[],
  cap: number,
  least: LookupSetting | undefined,
): { scale: number; setting: LookupSetting } {
  if (readers.length === 0) return { scale: cap, setting: least ?? 1 };
  if (least === undefined) {
    const variance = name === 0 ? torusInputVariance(INPUT_BITS) : SUM_VARIANCE;
    return { ...best(name, readers, cap, variance), setting: 1 };
  }
  const options = ([1, 2, 3] as const).map((setting) => ({
    setting,
    ...best(name, readers, cap, lookupOutputVariance(setting)),
  }));
  const enough = readers.every(({ exact }) => exact) ? ERROR_GOOD.summed : ERROR_GOOD.read;
  const good = Math.max(enough, ERROR_WORSE * options[2].error);
  return options.find(({ setting, error }) => setting >= least && error <= good) ?? options[2];
}

/** The scale of least error among a geometric grid, and those at which a weight is a whole number. */
function best(
  name: number,
  readers: readonly Reader[],
  cap: number,
  sourceVariance: number,
): { scale: number; error: number } {
  const full = readers.map((reader) => fullScale(name, reader)).filter((scale) => scale > 0);
  if (full.length === 0) return { scale: cap, error: 0 };
  const candidates = full.flatMap((scale) => {
    const grid = Array.from({ length: 41 }, (_, i) => scale * 2 ** ((i - 8) / 4));
    const whole = Array.from({ length: 16 }, (_, i) => scale * WEIGHT_MAX / (i + 1));
    return [...grid, ...whole];
  });
  let chosen = { scale: Math.min(cap, Math.max(...full)), error: Infinity };
  for (const scale of new Set(candidates.map((candidate) => Math.min(cap, candidate)))) {
    const squares = readers.map((reader) => errorAt(name, reader, scale, sourceVariance));
    const error = Math.sqrt(squares.reduce((a, b) => a + b, 0) / readers.length);
    if (error < chosen.error) chosen = { scale, error };
  }
  return chosen;
}

/** The smallest scale at which every channel reaches its target. */
function fullScale(name: number, { step, columns, targets }: Reader): number {
  let scale = 0;
  for (let channel = 0; channel < channelCount(step.sum); channel++) {
    scale = Math.max(scale, largestWeight(name, step, columns, channel) * targets[channel] / WEIGHT_MAX);
  }
  return scale;
}

function largestWeight(name: number, { sum }: Step, columns: Columns, channel: number): number {
  const base = Math.floor(channel / sum.rowsPerGroup) * sum.depth;
  let largest = 0;
  for (let d = 0; d < sum.depth; d++) {
    if (columns.classes[base + d] !== name) continue;
    largest = Math.max(largest, Math.abs(columns.weights[channel * sum.depth + d]));
  }
  return largest;
}

/** Mean over channels of V / range^2, from one class of sources. */
function errorAt(name: number, reader: Reader, scale: number, sourceVariance: number): number {
  const { step, columns, targets, ranges, exact, readingVariance } = reader;
  const channels = channelCount(step.sum);
  const stride = Math.max(1, Math.ceil(channels * step.sum.depth / SAMPLE));
  let total = 0, count = 0;
  for (let channel = 0; channel < channels; channel += stride) {
    const largest = largestWeight(name, step, columns, channel);
    const reach = largest === 0 ? Infinity : WEIGHT_MAX * scale / largest;
    if (exact && reach < targets[channel] * (1 - 1e-9)) return Infinity;
    const top = Math.min(targets[channel], reach);
    const tries = exact ? [top] : [top, wholeScale(top, largest, scale)];
    const least = Math.min(...tries.map((t) => {
      const variance = classVariance(name, step, columns, channel, t, scale, sourceVariance);
      return variance + readingVariance / t ** 2;
    }));
    total += least / ranges[channel] ** 2;
    count++;
  }
  return total / count;
}

/** The largest scale up to `top` at which the largest weight is a whole number. */
export function wholeScale(top: number, largestWeight: number, sourceScale: number): number {
  const integer = Math.floor(largestWeight * top / sourceScale + 1e-9);
  return integer < 1 ? top : integer * sourceScale / largestWeight;
}

/** Rounded weights and noise of the sources of one class, in a channel of scale t: variance in real units. */
function classVariance(
  name: number,
  { sum }: Step,
  columns: Columns,
  channel: number,
  t: number,
  scale: number,
  sourceVariance: number,
): number {
  const base = Math.floor(channel / sum.rowsPerGroup) * sum.depth;
  let rounding = 0, squares = 0;
  for (let d = 0; d < sum.depth; d++) {
    if (columns.classes[base + d] !== name) continue;
    const exact = columns.weights[channel * sum.depth + d] * t / scale;
    const integer = Math.round(exact);
    rounding += (integer - exact) ** 2 * columns.meanSquare[base + d];
    squares += integer * integer;
  }
  // Where every integer is 0 nothing is left of the sum, whatever the mean squares of its terms.
  if (squares === 0 && rounding > 0) return Infinity;
  return rounding * (scale / t) ** 2 + squares * sourceVariance / t ** 2;
}
