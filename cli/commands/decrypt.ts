/** `sotto decrypt`: an answers file to predictions. */
import type { Command } from "commander";
import { decodeScales, decryptAnswers } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { readBytes, writeResult } from "../files.ts";
import { examples, withModel, withSecretKey, withServer } from "../options.ts";
import { openKeyFile, type PassphraseOptions } from "../passphrase.ts";
import { startProgress } from "../progress.ts";
import { formatPredictions } from "../results.ts";
import { findTarget, type TargetOptions } from "../target.ts";

interface DecryptOptions extends TargetOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly key: string;
  readonly scales?: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** Adds the command to the program. */
export function addDecrypt(program: Command, context: Context): void {
  withModel(withSecretKey(withServer(program.command("decrypt <answers>"))))
    .description("decrypt an answers file to predictions (CSV, or JSON with --json)")
    .option("--scales <file>", "linear models: the scales file that `sotto encrypt` wrote beside the rows")
    .option("--out <file>", "predictions file to create (default: standard output)")
    .option("--force", "replace an existing file")
    .addHelpText(
      "after",
      examples(
        "sotto decrypt answers.sotto --model credit --key sotto-secret.key",
        "sotto decrypt answers.sotto --description credit.model.json --key sotto-secret.key \\",
        "    --scales rows.sotto.scales.json --out predictions.csv",
      ),
    )
    .action((answers: string, options: DecryptOptions) => decrypt(context, answers, options));
}

async function decrypt(context: Context, path: string, options: DecryptOptions): Promise<void> {
  const model = await findTarget(options);
  const file = await readBytes(path);
  const scales = options.scales === undefined ? null : decodeScales(await readBytes(options.scales), model.id);
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    using bar = startProgress(context, "decrypting");
    const predictions = await decryptAnswers(backend, secret, model, file, { scales, onProgress: bar.update });
    const text = formatPredictions(model.description.output, predictions, options.json);
    await writeResult(context, options.out, text, options.force);
  } finally {
    backend.close();
  }
}
