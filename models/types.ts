/**
 * The neutral description of a model: what every importer produces and every circuit consumes.
 *
 * It is plain data (JSON-safe), immutable after import, and holds the whole model in clear: it never leaves the server.
 */

/** How a feature's text or number becomes the value that the trees compare, as the training library does it. */
export interface Feature {
  readonly name: string;
  /** The precision in which the training library compares: the value is rounded to it first. */
  readonly cast: "float32" | "float64";
  /**
   * What an empty cell / NaN means.
   * `nan`: missing, follows the default direction. `zero`: NaN and |x| <= 1e-35 are missing (LightGBM `zero_as_missing`).
   * `as_zero`: NaN is read as 0 (LightGBM missing type None). `refused`: the row is refused.
   */
  readonly missing: "nan" | "zero" | "as_zero" | "refused";
}

/** An inner node: a row goes right exactly when cast(x[feature]) >= threshold; a missing value goes where `missing` says. */
export interface Split {
  readonly kind: "split";
  readonly feature: number;
  /**
   * Finite, exactly representable in the feature's cast. `x <= t` of other libraries arrives as `x >= next_after(t)`.
   * The cast's largest finite value stands for infinity: every cell that is not missing goes left (`readCell` refuses larger).
   */
  readonly threshold: number;
  readonly left: number;
  readonly right: number;
  readonly missing: "left" | "right";
}

/** A leaf: one value for each entry of its tree's `outputs`. */
export interface Leaf {
  readonly kind: "leaf";
  readonly values: readonly number[];
}

export type Node = Split | Leaf;

/** A binary tree; node 0 is the root; every node is reached exactly once. */
export interface Tree {
  /** The scores that the leaf values are added to: [class] for boosted trees, [0..C-1] for forests of class probabilities. */
  readonly outputs: readonly number[];
  readonly nodes: readonly Node[];
}

/** From summed scores to what the training library's predict gives. */
export interface Output {
  readonly task: "regression" | "binary" | "multiclass";
  /**
   * Applied by the client to score + base.
   * `softmax` over all scores; `normalise`: divide by the sum (one-vs-rest logistic of scikit-learn is `logistic` then `normalise`).
   */
  readonly transform: "identity" | "logistic" | "softmax" | "exp" | "one_vs_rest_logistic";
  /** One a score, added before the transform. */
  readonly base: readonly number[];
  /**
   * binary: [negative, positive], one score, which after the transform is the probability (or decision value) of the positive label;
   * multiclass: one label a score, the largest wins, first on ties; regression: empty.
   */
  readonly labels: readonly (string | number)[];
  /**
   * binary only: the positive label wins when the transformed score is greater than this. 0.5 for probabilities, the least bit
   * more where they are sums of single-precision shares; 0 for raw margins.
   */
  readonly threshold: number;
}

export interface Source {
  readonly format: "xgboost" | "lightgbm" | "onnx";
  readonly version: string;
  readonly objective: string;
}

export interface ForestModel {
  readonly kind: "forest";
  readonly source: Source;
  readonly features: readonly Feature[];
  readonly trees: readonly Tree[];
  readonly output: Output;
}

/** scores = weights x features + bias, one row of weights a score. */
export interface LinearModel {
  readonly kind: "linear";
  readonly source: Source;
  readonly features: readonly Feature[];
  readonly weights: readonly (readonly number[])[];
  readonly bias: readonly number[];
  readonly output: Output;
}

export type Model = ForestModel | LinearModel;

/** A row as the client holds it: one number a feature, NaN for an empty cell. */
export type Row = readonly number[] | Float64Array;

/** What the model says of one row. `scores` are transformed: probabilities or values. */
export interface Prediction {
  readonly label: string | number | null;
  readonly scores: readonly number[];
}
