/** Words that the tables and their callers share. */
import type { ErrorCode } from "../errors.ts";

/** `predict`: keys, reading models, predictions. `train`: training sessions. `admin`: all of that, models and tokens. */
export const SCOPES = ["predict", "train", "admin"] as const;
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

/** States of a training session; `routes/training/states.ts` says what is allowed in which. */
export const TRAINING_STATES = [
  "preparing",
  "running",
  "paused",
  "interrupted",
  "failed",
  "trained",
  "finished",
] as const;
export type TrainingState = (typeof TRAINING_STATES)[number];

/** What a data owner brings: whole rows with their labels, columns of all rows, or the labels of all rows. */
export const OWNER_KINDS = ["rows", "columns", "labels"] as const;
export type OwnerKind = (typeof OWNER_KINDS)[number];

/** A training specification as it was checked when the session was made; the database only keeps it. */
export type StoredSpec = Readonly<Record<string, unknown>> & { readonly steps: number };

/** What the plan of a session said when it was made; the database only keeps it. */
export type StoredPlan = Readonly<Record<string, unknown>>;

/** Where the masks of fine-tuning come from: a seed of each request, or one of the session. */
export const FINE_TUNING_MASKS = ["fresh", "cached"] as const;
export type FineTuningMasks = (typeof FINE_TUNING_MASKS)[number];

/** Integers of a base model's weights: bytes, or 10 bits. */
export const BASE_WEIGHTS = ["int8", "int10"] as const;
export type BaseWeights = (typeof BASE_WEIGHTS)[number];

/** A file of a base model, as it was when the model was registered. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  /** Time of its last change, ISO 8601. */
  readonly changed: string;
}

/** The shape of a base model as it was checked; the database only keeps it. */
export type StoredConfig = Readonly<Record<string, unknown>>;

/** How a group of a base model is cut; the database only keeps it. */
export type StoredGroup = Readonly<Record<string, unknown>> & { readonly name: string };

/** The server of some layers, or of the output. */
export interface StoredPlacement {
  readonly url: string;
  readonly layers?: readonly [first: number, last: number];
  readonly output?: boolean;
}

/** What a job does. */
export const JOB_KINDS = ["prediction", "training", "import"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** States of a part; a failed part is one of a failed job. */
export const PART_STATES = ["queued", "running", "done", "cancelled"] as const;
export type PartState = (typeof PART_STATES)[number];

export const JOB_PRIORITIES = ["low", "normal", "high"] as const;
export type JobPriority = (typeof JOB_PRIORITIES)[number];

/** What a job computes, as its handler wrote it; the database only keeps it. */
export type StoredTask = Readonly<Record<string, unknown>>;

/** How far a part is, as its handler wrote it; the database only keeps it. */
export type StoredLive = Readonly<Record<string, unknown>>;

/** Why something failed: a code of `errors.ts`, and a sentence for the caller. */
export interface StoredError {
  readonly code: ErrorCode;
  readonly detail: string;
}
