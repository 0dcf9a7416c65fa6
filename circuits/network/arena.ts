/** Where each element lives while a circuit runs: outputs of a step take the first gap that is large enough, and leave it after their last use. */
import { LWE_WORDS, PADDING } from "../backend.ts";
import type { Circuit } from "./circuit.ts";
import { outputCount } from "./program.ts";

/** Bytes of one lwe. */
export const LWE_BYTES = LWE_WORDS * 4;

export interface Arena {
  /** Slots (lwe) that one data row needs. */
  readonly slotCount: number;
  /** First slot of the input (0) and of each step's outputs (i + 1). */
  readonly starts: readonly number[];
  /** The slot of an element, PADDING for PADDING. */
  slotOf(element: number): number;
}

interface Block {
  readonly start: number;
  readonly end: number;
  /** Step after which nothing reads it. */
  readonly last: number;
}

/** Lays out one data row. */
export function layOut(circuit: Circuit): Arena {
  const firsts = [0, ...circuit.steps.map(({ first }) => first)];
  const counts = [circuit.inputCount, ...circuit.steps.map(({ layer }) => outputCount(layer))];
  const sourceOf = sources(circuit, firsts);
  const last = lastUses(circuit, sourceOf);
  let blocks: Block[] = [];
  const starts = firsts.map((_, source) => {
    blocks = blocks.filter((block) => block.last >= source - 1);
    const start = firstGap(blocks, counts[source]);
    blocks = [...blocks, { start, end: start + counts[source], last: last[source] }].sort((a, b) => a.start - b.start);
    return start;
  });
  const slotCount = starts.reduce((most, start, source) => Math.max(most, start + counts[source]), 0);
  const slotOf = (element: number) => {
    if (element === PADDING) return PADDING;
    const source = sourceOf[element];
    return starts[source] + element - firsts[source];
  };
  return { slotCount, starts, slotOf };
}

function sources(circuit: Circuit, firsts: readonly number[]): Uint32Array {
  const sourceOf = new Uint32Array(circuit.elementCount);
  firsts.forEach((first, source) => sourceOf.fill(source, first, firsts[source + 1]));
  return sourceOf;
}

/** For each source the last step that reads it; the number of steps where it is an answer. */
function lastUses(circuit: Circuit, sourceOf: Uint32Array): number[] {
  const last = [-1, ...circuit.steps.map((_, step) => step)];
  circuit.steps.forEach(({ layer }, step) => {
    for (const index of layer.indices) if (index !== PADDING) last[sourceOf[index]] = step;
  });
  for (const element of circuit.outputElements) last[sourceOf[element]] = circuit.steps.length;
  return last;
}

function firstGap(blocks: readonly Block[], count: number): number {
  let start = 0;
  for (const block of blocks) {
    if (block.start - start >= count) return start;
    start = block.end;
  }
  return start;
}
