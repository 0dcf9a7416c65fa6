/** Words that the tables and their callers share. */

/** `predict`: keys, reading models, predictions. `admin`: all of that, models and tokens. */
export const SCOPES = ["predict", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** What a key file makes possible: packing and randomising answers, or lookups in one of three settings. */
export type Capability = "pack" | "lookup1" | "lookup2" | "lookup3";

/** How a model file is read; together with the file it determines the model. */
export interface ImportOptions {
  readonly format: "xgboost" | "lightgbm" | "onnx";
  /** `quantile`: every threshold moves to the nearest edge of its feature, one sorted list a feature. */
  readonly bins: { readonly kind: "model" } | {
    readonly kind: "quantile";
    readonly edges: readonly (readonly number[])[];
  };
  /** Tree models: absent for `leaves`. */
  readonly mode?: "score";
  /** Networks: the object that holds their calibration rows (CSV). */
  readonly calibration?: string;
}

/** What made a model. */
export interface ModelSource {
  readonly format: ImportOptions["format"];
  readonly version: string;
  readonly objective: string;
}

/** A model's public description as it was checked when the model was imported; the database only keeps it. */
export type StoredDescription =
  & { readonly mode: "leaves" | "score" | "linear" | "network" }
  & Readonly<Record<string, unknown>>;
