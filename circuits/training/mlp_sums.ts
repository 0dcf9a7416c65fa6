/** Which sums a network's step forms between its lookups, over one arena of lwe on the torus. */
import type { ServerBackend } from "../backend.ts";
import { Combination, type Terms } from "./combination.ts";

export interface MlpShape {
  readonly rows: number;
  readonly hidden: number;
  readonly scores: number;
}

/** First slots of the regions of the arena, in order. */
export interface MlpArena {
  /** Score by score its hidden weights, then the biases of all scores. */
  readonly outputs: number;
  /** Row by row its labels. */
  readonly labels: number;
  /** Row by row, unit by unit: value, derivative. */
  readonly hidden: number;
  /** Row, score, unit: both parts of a product. */
  readonly forward: number;
  /** Row by row. */
  readonly sigmoids: number;
  readonly errors: number;
  /** Score, unit, row: both parts. */
  readonly outputUpdates: number;
  /** Row, unit, score: both parts. */
  readonly backward: number;
  /** Row by row. */
  readonly biasUpdates: number;
  readonly slotCount: number;
}

export function mlpArena({ rows, hidden, scores }: MlpShape): MlpArena {
  let at = 0;
  const take = (count: number) => (at += count) - count;
  const products = 2 * rows * hidden * scores;
  return {
    outputs: take(scores * (hidden + 1)),
    labels: take(rows * scores),
    hidden: take(2 * rows * hidden),
    forward: take(products),
    sigmoids: take(rows * scores),
    errors: take(rows * scores),
    outputUpdates: take(products),
    backward: take(products),
    biasUpdates: take(rows * scores),
    slotCount: at,
  };
}

/** The sums of a step in the order in which they are formed. Close it. */
export class MlpSums implements Disposable {
  readonly arena: MlpArena;
  /** Operands of hidden value times weight. */
  readonly forward: Combination;
  readonly scores: Combination;
  readonly errors: Combination;
  /** Operands of the updates of the second layer and of the backward products, then the errors themselves for the biases. */
  readonly backward: Combination;
  /** The second layer after the step. */
  readonly outputs: Combination;
  /** Operands of backward value times derivative: all sums, then all differences. */
  readonly hiddenErrors: Combination;

  constructor(backend: ServerBackend, readonly shape: MlpShape) {
    const arena = mlpArena(shape);
    this.arena = arena;
    const list = mlpTerms(shape, arena);
    const make = (outputs: Terms[], raise: boolean) => new Combination(backend, arena.slotCount, outputs, raise);
    this.forward = make(list.forward, true);
    this.scores = make(list.scores, true);
    this.errors = make(list.errors, false);
    this.backward = make(list.backward, true);
    this.outputs = make(list.outputs, false);
    this.hiddenErrors = make(list.hiddenErrors, true);
  }

  close(): void {
    [this.forward, this.scores, this.errors, this.backward, this.outputs, this.hiddenErrors].forEach((sum) =>
      sum.close()
    );
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function mlpTerms({ rows, hidden, scores }: MlpShape, arena: MlpArena) {
  const [I, H, C] = [range(rows), range(hidden), range(scores)];
  const weight = (c: number, h: number) => arena.outputs + c * hidden + h;
  const bias = (c: number) => arena.outputs + scores * hidden + c;
  const label = (i: number, c: number) => arena.labels + i * scores + c;
  const value = (i: number, h: number) => arena.hidden + 2 * (i * hidden + h);
  const error = (i: number, c: number) => arena.errors + i * scores + c;
  const both = (first: number): Terms => [[first, 1], [first + 1, 1]];
  const pair = (a: number, b: number): Terms[] => [[[a, 1], [b, 1]], [[a, 1], [b, -1]]];
  const toScores = (i: number, c: number, h: number) => both(arena.forward + 2 * ((i * scores + c) * hidden + h));
  const toWeight = (c: number, h: number, i: number) => both(arena.outputUpdates + 2 * ((c * hidden + h) * rows + i));
  const back = (i: number, h: number) => C.flatMap((c) => both(arena.backward + 2 * ((i * hidden + h) * scores + c)));
  const withDerivative = (sign: number) =>
    I.flatMap((i) => H.map((h): Terms => [...back(i, h), [value(i, h) + 1, sign]]));
  return {
    forward: I.flatMap((i) => C.flatMap((c) => H.flatMap((h) => pair(value(i, h), weight(c, h))))),
    scores: I.flatMap((i) => C.map((c): Terms => [[bias(c), 1], ...H.flatMap((h) => toScores(i, c, h))])),
    errors: I.flatMap((i) => C.map((c): Terms => [[arena.sigmoids + i * scores + c, 1], [label(i, c), -1]])),
    backward: [
      ...C.flatMap((c) => H.flatMap((h) => I.flatMap((i) => pair(error(i, c), value(i, h))))),
      ...I.flatMap((i) => H.flatMap((h) => C.flatMap((c) => pair(error(i, c), weight(c, h))))),
      ...I.flatMap((i) => C.map((c): Terms => [[error(i, c), 1]])),
    ],
    outputs: [
      ...C.flatMap((c) => H.map((h): Terms => [[weight(c, h), 1], ...I.flatMap((i) => toWeight(c, h, i))])),
      ...C.map((c): Terms => [[bias(c), 1], ...I.map((i) => [arena.biasUpdates + i * scores + c, 1] as const)]),
    ],
    hiddenErrors: [...withDerivative(1), ...withDerivative(-1)],
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
