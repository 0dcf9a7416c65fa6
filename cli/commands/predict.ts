/** `sotto predict`: encrypt, send, decrypt. */
import { type Command, Option } from "commander";
import { predictRows, readRows } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { readBytes, refuseExisting, writeResult } from "../files.ts";
import { connect, examples, findModel, type ServerOptions, withSecretKey, withServer } from "../options.ts";
import { openKeyFile, type PassphraseOptions } from "../passphrase.ts";
import { startProgress } from "../progress.ts";
import { formatPredictions } from "../results.ts";

interface PredictOptions extends ServerOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly model: string;
  readonly key: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** Adds the command to the program. */
export function addPredict(program: Command, context: Context): void {
  withSecretKey(withServer(program.command("predict <rows>")))
    .description(
      "encrypt rows, let the server predict, decrypt the answers (CSV, or JSON with --json); Ctrl-C cancels it on the server, too",
    )
    .addOption(
      new Option("--model <model>", "id or name of a model on the server").env("SOTTO_MODEL").makeOptionMandatory(),
    )
    .option("--out <file>", "predictions file to create (default: standard output)")
    .option("--force", "replace an existing file")
    .addHelpText(
      "after",
      examples(
        "sotto predict rows.csv --model credit --key sotto-secret.key",
        "sotto predict rows.csv --model credit --key sotto-secret.key --out predictions.csv",
      ),
    )
    .action((rows: string, options: PredictOptions) => predict(context, rows, options));
}

async function predict(context: Context, path: string, options: PredictOptions): Promise<void> {
  if (options.out !== undefined) await refuseExisting([options.out], options.force);
  const client = connect(options);
  const model = await findModel(client, options.model);
  const rows = readRows(await readBytes(path), model.description.features);
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    using bar = startProgress(context, "predicting");
    const calls = { signal: abort.signal, onProgress: bar.update };
    const { predictions } = await predictRows(client, backend, secret, model, rows, calls);
    const text = formatPredictions(model.description.output, predictions, options.json);
    await writeResult(context, options.out, text, options.force);
  } finally {
    backend.close();
  }
}
