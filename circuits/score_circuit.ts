/** The lookups of a forest as a circuit of two kinds of layers: forms that are looked up, level by level, and the sums of the results. */
import { CURRENT } from "../params/mod.ts";
import { type LookupSetting, PADDING } from "./backend.ts";
import { lookupInputVariance, lookupOutputVariance, torusInputVariance, worstOnes } from "./lookup_noise.ts";
import { type Circuit, type CircuitStep, HALF_RANGE } from "./network/circuit.ts";
import type { ScoreForest } from "./score_forest.ts";
import type { SlotForm } from "./score_lookups.ts";
import { SLOTS } from "./score_paths.ts";

const N = CURRENT.ringDegree;
/** Torus units of one slot, and of a bit: the slots fill half the torus. */
export const SLOT = 2 * HALF_RANGE / SLOTS;
/** Distance from the middle of a slot to the first position of the next: positions are rounded to. */
export const HALF_SLOT = SLOT / 2;
/** Torus units between two positions of a table. */
const POSITION = 2 ** 32 / (2 * N);
/** The largest |sum| of a score: half the torus holds 2^31, a sum of all the largest values stays well within. */
const SUM_MAX = 2 ** 30.5;
/** Lookups of one step: the tile of one native call. */
const STEP_LOOKUPS = 256;
/** Bits of an uploaded coefficient, the fewest that files hold: their rounding is far below the noise of a reading. */
export const INPUT_BITS = 24;

/** One table of the circuit. */
interface Cell {
  readonly form: SlotForm;
  /** Table value of slot v in torus units. */
  readonly entry: (v: number) => number;
  /** Equal keys, equal tables. */
  readonly key: unknown;
  /** What it is: the bit of a base, or a part of a score. */
  readonly base?: number;
  readonly score?: number;
  readonly outputScale: number;
}

/** Torus units of a real unit of each score; one for all where one score follows from the others. */
export function scoreScales({ spans, remainder }: ScoreForest): number[] {
  const most = Math.max(...spans);
  return spans.map((span) => {
    const widest = remainder ? most : span;
    return widest === 0 ? 1 : SUM_MAX / widest;
  });
}

/** Lookups that each score sums. */
export function lookupsPerScore({ groups, offsets, remainder }: ScoreForest): number[] {
  const counts = offsets.map(() => 0);
  for (const { outputs, entries } of groups) {
    outputs.forEach((score, i) => counts[score] += entries[i].some((value) => value !== 0) ? 1 : 0);
  }
  return remainder ? counts.with(-1, counts.reduce((sum, count) => sum + count, 0)) : counts;
}

/** The circuit of a forest with lookups of one setting. */
export function scoreCircuit(forest: ScoreForest, setting: LookupSetting): Circuit {
  const scales = scoreScales(forest);
  const inputCount = forest.columns.count;
  const baseElements = new Map<number, number>();
  const parts: number[][] = scales.map(() => []);
  const steps: CircuitStep[] = [];
  let first = inputCount;
  for (const cells of tiles(cellsOf(forest, scales))) {
    steps.push(lookupStep(cells, { forest, setting, first, baseElements, name: `lookups ${steps.length + 1}` }));
    cells.forEach(({ base, score }, i) => {
      if (base !== undefined) baseElements.set(base, first + i);
      if (score !== undefined) parts[score].push(first + i);
    });
    first += cells.length;
  }
  const sums = parts.map((elements) => elements.map((element) => ({ element, weight: 1 })));
  if (forest.remainder) sums[sums.length - 1] = parts.flat().map((element) => ({ element, weight: -1 }));
  const outputVariance = Math.max(...sums.map(({ length }) => length)) * lookupOutputVariance(setting);
  steps.push(sumStep(sums, scales, first, outputVariance));
  return {
    inputCount,
    elementCount: first + scales.length,
    inputScales: new Float64Array(inputCount).fill(SLOT),
    inputBits: INPUT_BITS,
    steps,
    outputElements: Uint32Array.from(scales, (_, score) => first + score),
    outputScales: Float64Array.from(scales),
    outputVariance,
  };
}

function cellsOf({ bases, groups }: ScoreForest, scales: readonly number[]): Cell[] {
  const bits = bases.map(({ form, base }): Cell => {
    return { form, base, entry: (v) => v === 0 ? 0 : SLOT, key: "base", outputScale: SLOT };
  });
  const values = groups.flatMap(({ form, outputs, entries }) =>
    outputs.flatMap((score, i): Cell[] => {
      if (entries[i].every((value) => value === 0)) return [];
      const entry = (v: number) => (entries[i][v] ?? 0) * scales[score];
      return [{ form, score, entry, key: entries[i], outputScale: scales[score] }];
    })
  );
  return [...bits, ...values];
}

/** Level by level, in parts of nearly one size that a native call holds. */
function tiles(cells: readonly Cell[]): Cell[][] {
  const levels = Map.groupBy(cells, ({ form }) => form.level);
  return [...levels.keys()].sort((a, b) => a - b).flatMap((level) => {
    const all = levels.get(level)!;
    const size = Math.ceil(all.length / Math.ceil(all.length / STEP_LOOKUPS));
    return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
  });
}

interface StepPlace {
  readonly forest: ScoreForest;
  readonly setting: LookupSetting;
  readonly first: number;
  readonly baseElements: ReadonlyMap<number, number>;
  readonly name: string;
}

function lookupStep(cells: readonly Cell[], place: StepPlace): CircuitStep {
  const { forest, setting, first, baseElements, name } = place;
  const terms = cells.map(({ form }) => [
    ...form.terms.map(({ feature, threshold, weight }) => ({ element: forest.columns.at(feature, threshold), weight })),
    ...form.bases.map(({ base, weight }) => ({ element: baseElements.get(base)!, weight })),
  ]);
  const count = cells.length;
  return {
    name,
    first,
    layer: {
      ...sparseLayer(terms),
      offsets: Uint32Array.from(cells, ({ form }) => form.constant * SLOT + HALF_SLOT - POSITION / 2),
    },
    lookup: { setting, ...tablesOf(cells) },
    sumScales: new Float64Array(count).fill(SLOT),
    outputScales: Float64Array.from(cells, ({ outputScale }) => outputScale),
    noiseVariance: lookupInputVariance(worstOnes()) + worstSum(cells, setting),
    ranges: new Float64Array(count).fill(SLOTS / 2),
  };
}

interface WeightedElement {
  readonly element: number;
  readonly weight: number;
}

/** A row of weights for each output, padded to one depth. */
function sparseLayer(rows: readonly (readonly WeightedElement[])[]) {
  const depth = rows.reduce((most, { length }) => Math.max(most, length), 1);
  const weights = new Int8Array(rows.length * depth);
  const indices = new Uint32Array(rows.length * depth).fill(PADDING);
  rows.forEach((terms, row) =>
    terms.forEach(({ element, weight }, d) => {
      indices[row * depth + d] = element;
      weights[row * depth + d] = weight;
    })
  );
  return { patchCount: 1, groupCount: rows.length, rowsPerGroup: 1, depth, weights, indices };
}

/** Variance of the noise of the worst form: fresh bits, and bits that are lookups themselves. */
function worstSum(cells: readonly Cell[], setting: LookupSetting): number {
  const [bit, base] = [torusInputVariance(INPUT_BITS), lookupOutputVariance(setting)];
  const squares = (terms: readonly { weight: number }[]) => terms.reduce((sum, { weight }) => sum + weight ** 2, 0);
  return cells.reduce((most, { form }) => Math.max(most, bit * squares(form.terms) + base * squares(form.bases)), 0);
}

function tablesOf(cells: readonly Cell[]): { tables: BigUint64Array; tableOf: Uint32Array } {
  const numbers = new Map<unknown, number>();
  for (const { key } of cells) if (!numbers.has(key)) numbers.set(key, numbers.size);
  const tables = new BigUint64Array(numbers.size * N);
  const made = new Set<number>();
  const tableOf = Uint32Array.from(cells, ({ key, entry }) => {
    const number = numbers.get(key)!;
    if (!made.has(number)) writeTable(tables.subarray(number * N, (number + 1) * N), entry);
    made.add(number);
    return number;
  });
  return { tables, tableOf };
}

/** Slot v owns the positions v N / SLOTS and on. */
function writeTable(table: BigUint64Array, entry: (v: number) => number): void {
  const unit = Number(CURRENT.modulus) / 2 ** 32;
  for (let v = 0; v < SLOTS; v++) {
    const value = BigInt(Math.round(entry(v) * unit));
    table.fill(value < 0n ? value + CURRENT.modulus : value, v * N / SLOTS, (v + 1) * N / SLOTS);
  }
}

function sumStep(
  sums: readonly (readonly WeightedElement[])[],
  scales: readonly number[],
  first: number,
  variance: number,
): CircuitStep {
  return {
    name: "scores",
    first,
    layer: { ...sparseLayer(sums), offsets: new Uint32Array(sums.length) },
    sumScales: Float64Array.from(scales),
    outputScales: Float64Array.from(scales),
    noiseVariance: variance,
    ranges: Float64Array.from(scales, (scale) => 2 * HALF_RANGE / scale),
  };
}
