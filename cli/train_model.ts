/** `sotto train model` and `sotto train predict`: what comes out of a training. */
import type { Command } from "commander";
import { classOf, trainedOnnx, type TrainingSpec } from "../circuits/training/mod.ts";
import {
  featureRows,
  openScores,
  openWeights,
  predictionFile,
  readTable,
  scoreNames,
  type TrainingCalls,
} from "../client/mod.ts";
import { affineOf } from "../circuits/training/spec.ts";
import type { Context } from "./context.ts";
import { readBytes, refuseExisting, writeNew, writeResult } from "./files.ts";
import { connect, examples, type ServerOptions, withSecretKey, withServer } from "./options.ts";
import { openKeyFile, type PassphraseOptions } from "./passphrase.ts";

interface ModelOptions extends ServerOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly key: string;
  readonly out: string;
  readonly force?: boolean;
}

/** Adds the commands to the group. */
export function addTrainModel(train: Command, context: Context): void {
  withSecretKey(withServer(train.command("model <session>")))
    .description("decrypt the trained weights to a plain ONNX file")
    .requiredOption("--out <file>", "ONNX file to create; whoever has it has the model")
    .option("--force", "replace an existing file")
    .addHelpText("after", examples("sotto train model 0b8f... --key sotto-secret.key --out cancer.onnx"))
    .action((id: string, options: ModelOptions) => writeModel(context, id, options));
  withSecretKey(withServer(train.command("predict <session> <rows>")))
    .description("let a finished regression predict with its encrypted weights, and decrypt the scores")
    .option("--out <file>", "predictions file to create (default: standard output)")
    .option("--force", "replace an existing file")
    .addHelpText("after", examples("sotto train predict 0b8f... rows.csv --key sotto-secret.key"))
    .action((id: string, rows: string, options: Omit<ModelOptions, "out"> & { readonly out?: string }) =>
      predict(context, id, rows, options)
    );
}

async function writeModel(context: Context, id: string, options: ModelOptions): Promise<void> {
  await refuseExisting([options.out], options.force);
  const calls = connect(options).training;
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    const { spec } = await calls.get(id);
    const { weights, step } = await openWeights(backend, secret, spec, await calls.weights(id));
    await writeNew(options.out, trainedOnnx(spec, weights), { force: options.force, isPrivate: true });
    context.out(
      options.json
        ? JSON.stringify({ step, file: options.out }) + "\n"
        : `wrote ${options.out}, weights of step ${step}\n`,
    );
  } finally {
    backend.close();
  }
}

async function predict(
  context: Context,
  id: string,
  path: string,
  options: Omit<ModelOptions, "out"> & { readonly out?: string },
): Promise<void> {
  if (options.out !== undefined) await refuseExisting([options.out], options.force);
  const calls: TrainingCalls = connect(options).training;
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    const { spec, step } = await calls.get(id);
    const rows = featureRows(readTable(await readBytes(path)), spec);
    const scores: Float64Array[] = [];
    const target = { sessionId: id, spec, keyId: secret.keyId.toHex() };
    for (let first = 0; first < rows.length; first += spec.batch_size) {
      const part = rows.slice(first, first + spec.batch_size);
      const file = await predictionFile(backend, { secretKey: secret.key }, target, part);
      scores.push(...openScores(backend, secret, spec, step, await calls.predict(id, file)));
    }
    await writeResult(context, options.out, predictionsOf(spec, scores, options.json), options.force);
  } finally {
    backend.close();
  }
}

/** CSV, or a JSON array: the class with the sigmoid of every score, or the value. */
function predictionsOf(spec: TrainingSpec, scores: readonly Float64Array[], json: boolean | undefined): string {
  if (spec.kind === "linear") {
    const { gain, shift } = affineOf(spec.target, spec.clip);
    const values = scores.map(([score]) => (score - shift) / gain);
    return json ? JSON.stringify(values) + "\n" : ["value", ...values].join("\n") + "\n";
  }
  const found = scores.map((row) => ({
    label: spec.classes[classOf(row)],
    probabilities: Array.from(row, (score) => 1 / (1 + Math.exp(-score))),
  }));
  if (json) return JSON.stringify(found) + "\n";
  const header = ["label", ...scoreNames(spec).map((name) => `probability_${name}`)].join(",");
  return [header, ...found.map(({ label, probabilities }) => [label, ...probabilities].join(","))].join("\n") + "\n";
}
