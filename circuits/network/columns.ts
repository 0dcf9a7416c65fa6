/** Whose values the columns of a sum multiply: sources, the classes of sources that share one scale, and factors of single inputs. */
import { PADDING, type Program, type Sum } from "./program.ts";
import type { Statistics } from "./statistics.ts";

/** 0 is the input, i + 1 are the outputs of step i. */
export type Source = number;

/** Columns (group, depth) of a step's weights as multiples of scaled sources. */
export interface Columns {
  /** Class of each column's source; -1 where it is always padding. */
  readonly classes: Int32Array;
  /** Mean square of each column's scaled values. */
  readonly meanSquare: Float64Array;
  /** Weights of scaled values: the model's, divided by the factor of an input. */
  readonly weights: Float64Array;
}

export interface Sources {
  /** Class of each source; classes are named by one of their members. */
  readonly classOf: Int32Array;
  /** Factor of each input element: it is uploaded at the input's scale times this power of two. */
  readonly inputFactors: Float64Array;
  /** One a step. */
  readonly columns: readonly Columns[];
  /** Steps that read a class. */
  readonly readers: ReadonlyMap<number, readonly number[]>;
}

/** Groups the sources of a program by the scale they must share, and looks at every sum through them. */
export function findSources(program: Program, statistics: Statistics): Sources {
  const owner = owners(program);
  const classOf = new Classes(program.steps.length + 1);
  program.steps.forEach((step) => {
    step.tied.forEach((element) => classOf.join(owner[element], owner[step.tied[0]]));
    joinColumns(step.sum, owner, classOf);
  });
  const classes = Int32Array.from({ length: program.steps.length + 1 }, (_, source) => classOf.find(source));
  const inputFactors = factorsOf(program, owner, classes);
  const columns = program.steps.map(({ sum }) => columnsOf(sum, owner, classes, inputFactors, statistics));
  const readers = new Map<number, number[]>();
  columns.forEach((column, i) => {
    for (const name of new Set(column.classes)) if (name >= 0) readers.set(name, [...readers.get(name) ?? [], i]);
  });
  return { classOf: classes, inputFactors, columns, readers };
}

/** The source of each element. */
function owners(program: Program): Uint32Array {
  const owner = new Uint32Array(program.elementCount);
  program.steps.forEach((step, i) => owner.fill(i + 1, step.first, program.steps[i + 1]?.first));
  return owner;
}

/** One weight serves a column in every patch, so all of the column's sources have one scale. */
function joinColumns(sum: Sum, owner: Uint32Array, classes: Classes): void {
  const width = sum.groupCount * sum.depth;
  const first = new Int32Array(width).fill(-1);
  sum.indices.forEach((index, i) => {
    if (index === PADDING) return;
    const column = i % width;
    if (first[column] < 0) first[column] = owner[index];
    else if (first[column] !== owner[index]) classes.join(first[column], owner[index]);
  });
}

/**
 * Input columns whose weights are small are uploaded at a smaller scale, so that their integers use the whole int8 range. Only where
 * every sum has one patch (a weight then belongs to one input) and the input's scale is its own.
 */
function factorsOf(program: Program, owner: Uint32Array, classes: Int32Array): Float64Array {
  const factors = new Float64Array(program.inputCount).fill(1);
  const alone = classes.filter((name) => name === classes[0]).length === 1;
  const readers = program.steps.filter(({ sum }) => sum.indices.some((i) => i !== PADDING && owner[i] === 0));
  if (!alone || readers.some(({ sum }) => sum.patchCount > 1 || sum.groupCount > 1)) return factors;
  const largest = new Float64Array(program.inputCount);
  for (const { sum } of readers) {
    sum.indices.forEach((index, d) => {
      if (index !== PADDING && owner[index] === 0) largest[index] = Math.max(largest[index], columnLargest(sum, d));
    });
  }
  const top = largest.reduce((a, b) => Math.max(a, b), 0);
  return top === 0 ? factors : largest.map((x) => 2 ** Math.round(Math.log2(Math.max(x / top, 2 ** -20))));
}

function columnLargest(sum: Sum, column: number): number {
  let largest = 0;
  for (let row = 0; row < sum.rowsPerGroup; row++) {
    largest = Math.max(largest, Math.abs(sum.weights[row * sum.depth + column]));
  }
  return largest;
}

function columnsOf(
  sum: Sum,
  owner: Uint32Array,
  classOf: Int32Array,
  factors: Float64Array,
  statistics: Statistics,
): Columns {
  const width = sum.groupCount * sum.depth;
  const classes = new Int32Array(width).fill(-1);
  const meanSquare = new Float64Array(width);
  const factor = new Float64Array(width).fill(1);
  const inputMean = mean(statistics.input.meanSquare);
  sum.indices.forEach((index, i) => {
    const column = i % width;
    if (index === PADDING || classes[column] >= 0) return;
    const source = owner[index];
    classes[column] = classOf[source];
    if (source > 0) meanSquare[column] = statistics.steps[source - 1].outputMeanSquare;
    else {
      factor[column] = factors[index];
      const square = sum.patchCount === 1 ? statistics.input.meanSquare[index] : inputMean;
      meanSquare[column] = square * factors[index] ** 2;
    }
  });
  const weights = sum.weights.map((weight, i) => {
    const group = Math.floor(i / (sum.rowsPerGroup * sum.depth));
    return weight / factor[group * sum.depth + i % sum.depth];
  });
  return { classes, meanSquare, weights };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Disjoint sets. */
class Classes {
  readonly #parent: Int32Array;
  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, i) => i);
  }
  find(source: Source): number {
    while (this.#parent[source] !== source) source = this.#parent[source];
    return source;
  }
  join(a: Source, b: Source): void {
    const [first, second] = [this.find(a), this.find(b)];
    this.#parent[Math.max(first, second)] = Math.min(first, second);
  }
}

/** True for a step of sums whose outputs are only answers: each of its channels may have a scale of its own. */
export function isFinal(program: Program, sources: Sources, index: number): boolean {
  const name = sources.classOf[index + 1];
  const alone = sources.classOf.filter((other) => other === name).length === 1;
  return program.steps[index].activation === undefined && alone && !sources.readers.has(name);
}
