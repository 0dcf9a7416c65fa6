/** `sotto train spec`: a training specification from a table, with the public scaling of its columns. */
import { type Command, Option } from "commander";
import { parseTrainingSpec } from "../circuits/training/mod.ts";
import { columnOf, numbersOf, type OwnTable, readTable } from "../client/mod.ts";
import type { Context } from "./context.ts";
import { readBytes, writeResult } from "./files.ts";
import { examples, wholeNumber } from "./options.ts";

interface SpecOptions {
  readonly label: string;
  readonly kind: "logistic" | "linear" | "mlp";
  readonly id?: string;
  readonly batchSize: number;
  readonly steps: number;
  readonly rate: number;
  readonly l2: number;
  readonly seed: number;
  readonly hidden: number;
  readonly activation: "sigmoid" | "relu";
  readonly out?: string;
  readonly force?: boolean;
}

/** Adds the command to the group. */
export function addTrainSpec(train: Command, context: Context): void {
  train.command("spec <rows>")
    .description("write a training specification for a table; means and deviations of its columns become public")
    .requiredOption("--label <column>", "column of the labels")
    .option("--id <column>", "column of the row ids, which is no feature")
    .addOption(
      new Option("--kind <kind>", "what is trained").choices(["logistic", "linear", "mlp"]).default("logistic"),
    )
    .option("--batch-size <rows>", "rows a batch: a power of two", wholeNumber(1, 64), 8)
    .option("--steps <count>", "steps in all", wholeNumber(1, 1_000_000), 200)
    .option("--rate <rate>", "learning rate", Number, 1)
    .option("--l2 <share>", "shrinking of the weights a step", Number, 0)
    .option("--seed <number>", "of the public order of rows and batches", wholeNumber(0, 2 ** 32 - 1), 0)
    .option("--hidden <units>", "hidden units of an mlp", wholeNumber(1, 256), 30)
    .addOption(new Option("--activation <name>", "of an mlp").choices(["sigmoid", "relu"]).default("sigmoid"))
    .option("--out <file>", "file to create (default: standard output)")
    .option("--force", "replace an existing file")
    .addHelpText("after", examples("sotto train spec rows.csv --label diagnosis --id patient --out spec.json"))
    .action((path: string, options: SpecOptions) => makeSpec(context, path, options));
}

async function makeSpec(context: Context, path: string, options: SpecOptions): Promise<void> {
  const table = readTable(await readBytes(path));
  const { kind, l2, seed, steps } = options;
  const spec = parseTrainingSpec({
    kind,
    features: table.header.filter((name) => name !== options.label && name !== options.id)
      .map((name) => scalingOf(table, name)),
    batch_size: options.batchSize,
    steps,
    learning_rate: { schedule: "constant", rate: options.rate },
    l2,
    seed,
    ...(kind === "linear" ? { target: scalingOf(table, options.label) } : { classes: classesOf(table, options.label) }),
    ...(kind === "mlp" ? { hidden: { width: options.hidden, activation: options.activation } } : {}),
  });
  await writeResult(context, options.out, JSON.stringify(spec, null, 2) + "\n", options.force);
}

/** Mean and deviation; a column of one value has the deviation 1. */
function scalingOf(table: OwnTable, name: string): { name: string; mean: number; deviation: number } {
  const values = numbersOf(table, name);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { name, mean, deviation: Math.sqrt(variance) || 1 };
}

/** The different labels in their order: as numbers when all of them are whole numbers. */
function classesOf(table: OwnTable, label: string): (string | number)[] {
  const labels = [...new Set(columnOf(table, label))];
  if (labels.every((text) => /^-?\d{1,15}$/.test(text))) return labels.map(Number).sort((a, b) => a - b);
  return labels.sort();
}
