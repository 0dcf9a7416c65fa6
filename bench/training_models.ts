/** The trainings that the training suite measures. */
import { parseTrainingSpec, type TrainingData, type TrainingSpec } from "../circuits/training/mod.ts";
import { readTable } from "../circuits/training/test_data.ts";

/** How long and how often a training runs. */
export interface TrainingSize {
  readonly steps: number;
  /** Steps that run encrypted, the first ones. */
  readonly encryptedSteps: number;
  /** Public seeds: of the order of rows, and of a network's first weights. */
  readonly seeds: readonly number[];
}

export interface TrainingEntry {
  /** As in the names of results: "logistic-wdbc". */
  readonly name: string;
  /** A file of `tests/fixtures/training`. */
  readonly table: string;
  /** The specification without what the table and the size say; `target` is added for a regression. */
  readonly training: { readonly kind: string } & Readonly<Record<string, unknown>>;
  readonly full: TrainingSize;
  readonly quick: TrainingSize;
  /** Whether Concrete ML trains the same kind of model on the same data. */
  readonly peer?: boolean;
}

/** A training in memory. */
export interface LoadedTraining {
  readonly spec: TrainingSpec;
  readonly train: TrainingData;
  /** Held-out rows. */
  readonly test: TrainingData;
}

/** Rows of every batch. */
const BATCH_SIZE = 8;
const BINARY = { kind: "logistic", classes: [0, 1] };
const ONE = { schedule: "constant", rate: 1 };

/** Trainings by their names, the fastest step first. */
export const TRAININGS: readonly TrainingEntry[] = [
  {
    name: "logistic-wdbc",
    table: "wdbc",
    training: { ...BINARY, learning_rate: ONE },
    full: encrypted(200, [0, 1, 2]),
    quick: encrypted(40),
    peer: true,
  },
  {
    name: "logistic-adult",
    table: "adult",
    training: { ...BINARY, learning_rate: { schedule: "cosine", rate: 2, floor: 0.02 } },
    full: encrypted(300),
    quick: encrypted(40),
  },
  {
    name: "linear-diabetes",
    table: "diabetes",
    training: { kind: "linear", learning_rate: { schedule: "cosine", rate: 1, floor: 0.02 } },
    full: encrypted(300),
    quick: encrypted(20),
  },
  {
    name: "logistic-wine",
    table: "wine",
    training: { kind: "logistic", classes: [0, 1, 2], learning_rate: ONE },
    full: encrypted(200),
    quick: encrypted(20),
  },
  {
    name: "mlp-wdbc",
    table: "wdbc",
    training: { kind: "mlp", classes: [0, 1], hidden: { width: 30, activation: "sigmoid" }, learning_rate: ONE },
    full: { steps: 54, encryptedSteps: 2, seeds: [0] },
    quick: { steps: 54, encryptedSteps: 1, seeds: [0] },
  },
];

/** All steps encrypted. */
function encrypted(steps: number, seeds: readonly number[] = [0]): TrainingSize {
  return { steps, encryptedSteps: steps, seeds };
}

/** One training of an entry, with the public scaling of its training rows. */
export function loadTraining({ table, training }: TrainingEntry, steps: number, seed: number): LoadedTraining {
  const { features, target, train, test } = readTable(table);
  const regression = training.kind === "linear" ? { target } : {};
  const spec = parseTrainingSpec({ ...training, ...regression, features, batch_size: BATCH_SIZE, steps, seed });
  return { spec, train, test };
}
