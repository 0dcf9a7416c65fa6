/**
 * How the frozen matrices of a group are cut for products on tokens. The modules of a group are stacked by rows: R x C. The noise of an output
 * grows with the number of inputs (`tokenErrorExpected`), so inputs are cut into parts with scales of their own, whose outputs the client
 * adds up: columns for forward products, rows for backward ones. The matrix becomes a grid of tiles, each prepared in both directions; a
 * cut of the inputs of one direction is only an order of the outputs of the other.
 */
import { z } from "@hono/zod-openapi";
import { type TokenParameterSet, TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import type { WeightKind } from "../../models/language/mod.ts";
import { isSottoError } from "../../errors.ts";
import type { TokenDirection, TokenWeights } from "./backend.ts";
import { tokenErrorExpected } from "./token_error.ts";

/**
 * Parts are made until the expected error of an output is at most this share of its deviation with the coarsest set that a kind of weights is
 * good for. More parts cost answers; with these shares the adapters' gradients keep a cosine above 0.99 and 0.999 to the run in float.
 */
export const ERROR_SHARE_MAX: Readonly<Record<WeightKind, number>> = { int8: 0.05, int10: 0.015 };

/** The coarsest set that a kind is good for. */
export const COARSEST_SET: Readonly<Record<WeightKind, TokenParameterSet>> = { int8: TOKENS_1024, int10: TOKENS_2048 };
/** The most parts of a side. */
const PARTS_MAX = 256;
/** Parts begin at multiples of this. */
const PART_STEP = 16;

const count = z.number().int().positive();
const partSchema = z.object({
  first: z.number().int().nonnegative(),
  count,
  /** Largest Euclidean norm of what an output of the direction takes from this part: of integers, not scaled. */
  norm: z.number().nonnegative(),
});

export const groupPlanSchema = z.object({
  /** "layers.3.qkv", "output". */
  name: z.string(),
  /** Stacked in this order. */
  modules: z.array(z.object({ name: z.string(), rows: count })).min(1),
  /** R, of all modules. */
  rows: count,
  columns: count,
  /** Inputs of forward products. */
  column_parts: z.array(partSchema).min(1).max(PARTS_MAX),
  /** Inputs of backward products. */
  row_parts: z.array(partSchema).min(1).max(PARTS_MAX),
  /** Index of the first cached mask of each direction in the seed of a session. */
  mask_first: z.object({ forward: z.number().int().nonnegative(), backward: z.number().int().nonnegative() }),
});

export type GroupPlan = z.infer<typeof groupPlanSchema>;
export type InputPart = z.infer<typeof partSchema>;

/** What is known of a group before it is cut. `columnNorm` and `rowNorm`: the `norm` of a part. */
export interface GroupShape {
  readonly name: string;
  readonly modules: GroupPlan["modules"];
  readonly columns: number;
  columnPartNorms(parts: readonly Omit<InputPart, "norm">[]): readonly number[];
  rowPartNorms(parts: readonly Omit<InputPart, "norm">[]): readonly number[];
}

/** Cuts groups; masks are numbered through all of them. */
export class GroupPlanner {
  #maskFirst = 0;
  constructor(readonly kind: WeightKind) {}

  plan({ name, modules, columns, columnPartNorms, rowPartNorms }: GroupShape): GroupPlan {
    const rows = modules.reduce((sum, module) => sum + module.rows, 0);
    const forward = this.#maskFirst;
    const backward = forward + columns;
    this.#maskFirst = backward + rows;
    return {
      name,
      modules: modules.map((module) => ({ ...module })),
      rows,
      columns,
      column_parts: cut(columns, columnPartNorms, this.kind),
      row_parts: cut(rows, rowPartNorms, this.kind),
      mask_first: { forward, backward },
    };
  }
}

/** The fewest parts whose error is small enough. */
function cut(inputs: number, normsOf: GroupShape["columnPartNorms"], kind: WeightKind): InputPart[] {
  for (let parts = 1;; parts = Math.max(parts + 1, Math.floor(parts * 1.1))) {
    const spans = spansOf(inputs, parts);
    const norms = normsOf(spans);
    const made = spans.map((span, i) => ({ ...span, norm: norms[i] }));
    if (parts >= PARTS_MAX || spans.length < parts || made.every((part) => isAccurate(part, kind))) return made;
  }
}

/** Equal parts, but for the last. */
function spansOf(inputs: number, parts: number): Omit<InputPart, "norm">[] {
  const size = Math.ceil(inputs / parts / PART_STEP) * PART_STEP;
  return Array.from({ length: Math.ceil(inputs / size) }, (_, i) => ({
    first: i * size,
    count: Math.min(size, inputs - i * size),
  }));
}

function isAccurate({ count, norm }: InputPart, kind: WeightKind): boolean {
  const scaling = { set: COARSEST_SET[kind], features: count, rowNorm: norm };
  try {
    return norm === 0 || tokenErrorExpected(scaling) <= ERROR_SHARE_MAX[kind];
  } catch (error) {
    if (isSottoError(error) && error.code === "model_refused") return false;
    throw error;
  }
}

/** Norms of the parts of a stacked matrix of integers, rows x columns. */
export function matrixNorms(
  weights: TokenWeights,
  rows: number,
  columns: number,
): Pick<GroupShape, "columnPartNorms" | "rowPartNorms"> {
  return {
    columnPartNorms: (parts) =>
      parts.map(({ first, count }) => {
        let most = 0;
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          const end = row * columns + first + count;
          for (let at = end - count; at < end; at++) sum += weights[at] * weights[at];
          if (sum > most) most = sum;
        }
        return Math.sqrt(most);
      }),
    rowPartNorms: (parts) =>
      parts.map(({ first, count }) => {
        const sums = new Float64Array(columns);
        for (let row = first, at = first * columns; row < first + count; row++) {
          for (let column = 0; column < columns; column++, at++) sums[column] += weights[at] * weights[at];
        }
        return Math.sqrt(sums.reduce((most, sum) => Math.max(most, sum), 0));
      }),
  };
}

/** Parts that a direction takes in, and parts that it gives out. */
export function sidesOf(
  plan: Pick<GroupPlan, "column_parts" | "row_parts">,
  direction: TokenDirection,
): { inputs: readonly InputPart[]; outputs: readonly InputPart[] } {
  const { column_parts, row_parts } = plan;
  return direction === "forward"
    ? { inputs: column_parts, outputs: row_parts }
    : { inputs: row_parts, outputs: column_parts };
}
