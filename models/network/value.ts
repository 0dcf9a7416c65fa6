/** What a name of the graph stands for while the graph is read. */
import type { Output } from "../types.ts";
import type { Shape } from "./shapes.ts";
import type { TensorIndex } from "./types.ts";

/** Numbers that the file fixes. */
export interface Constant {
  readonly kind: "constant";
  readonly shape: Shape;
  readonly values: Float32Array | Float64Array;
  /** Divisions of integers truncate. */
  readonly integer: boolean;
}

/** Texts that the file fixes: class labels. */
export interface Texts {
  readonly kind: "texts";
  readonly shape: Shape;
  readonly values: readonly string[];
}

/** A tensor that depends on the input, rearranged. The shape is the graph's, with a batch axis of one. */
export interface View {
  readonly kind: "view";
  readonly shape: Shape;
  readonly tensor: TensorIndex;
  /** Element i is element order[i] of the tensor; without it, element i. */
  readonly order?: Uint32Array;
  /** Zeros around the last two axes that the graph added: [top, left, bottom, right]; the shape is the one before. */
  readonly padding?: readonly [number, number, number, number];
}

/** A function of each element of a view that no layer computes (yet): half of a GELU, say. */
export interface Curve {
  readonly kind: "curve";
  readonly root: View;
  readonly apply: (x: number) => number;
  /** Multiplies the function's values, one number a channel: a batch normalisation that the exporter moved in here. */
  readonly factors?: Constant;
  /** Number of operators in it. */
  readonly size: number;
  /** The node that made it, for messages. */
  readonly label: string;
  /** Known to be exp(root): what a Poisson regression ends with. */
  readonly exponential: boolean;
}

/** Scores after the final transform, which the client applies. */
export interface Scores {
  readonly kind: "scores";
  /** The scores before it. */
  readonly of: View;
  readonly transform: Output["transform"];
  /** The scores are [1 - p, p] of the one score p. */
  readonly pair: boolean;
  readonly labels?: readonly (string | number)[];
  readonly shape: Shape;
  readonly label: string;
}

/** The position, or the label, of the largest score. */
export interface Choice {
  readonly kind: "choice";
  readonly of: View | Scores;
  readonly labels?: readonly (string | number)[];
  readonly label: string;
}

export type Value = Constant | Texts | View | Curve | Scores | Choice;

/** A constant from a plain list. */
export function constantOf(values: readonly number[], shape: Shape, integer: boolean): Constant {
  return { kind: "constant", shape, values: Float64Array.from(values), integer };
}

/** As many zeros as the constant has numbers. */
export function zerosLike(constant: Constant): Constant {
  return { ...constant, values: new Float64Array(constant.values.length) };
}
