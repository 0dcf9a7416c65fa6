/** `sotto encrypt`: rows to a file that any HTTP client can send. */
import type { Command } from "commander";
import { encodeScales, encryptRows, readRows } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { readBytes, refuseExisting, writeNew } from "../files.ts";
import { examples, withModel, withSecretKey, withServer } from "../options.ts";
import { openKeyFile, type PassphraseOptions } from "../passphrase.ts";
import { startProgress } from "../progress.ts";
import { findTarget, type TargetOptions } from "../target.ts";

interface EncryptOptions extends TargetOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly key: string;
  readonly out: string;
  readonly force?: boolean;
}

/** Adds the command to the program. */
export function addEncrypt(program: Command, context: Context): void {
  withModel(withSecretKey(withServer(program.command("encrypt <rows>"))))
    .description("encrypt rows (CSV with a header line, or JSON) for one model")
    .requiredOption("--out <file>", "encrypted rows file to create")
    .option("--force", "replace existing files")
    .addHelpText(
      "after",
      examples(
        "sotto encrypt rows.csv --model credit --key sotto-secret.key --out rows.sotto",
        'curl -fsS -H "authorization: Bearer $SOTTO_TOKEN" --data-binary @rows.sotto \\',
        '    "$SOTTO_URL/v1/models/MODEL_ID/predictions?key=KEYS_ID" -o answers.sotto',
        "sotto decrypt answers.sotto --model credit --key sotto-secret.key --out predictions.csv",
      ) + "\n\nFor a linear model FILE.scales.json is written too: keep it here, decryption needs it.",
    )
    .action((rows: string, options: EncryptOptions) => encrypt(context, rows, options));
}

async function encrypt(context: Context, path: string, options: EncryptOptions): Promise<void> {
  const sidecar = `${options.out}.scales.json`;
  await refuseExisting([options.out], options.force);
  const model = await findTarget(options);
  const rows = readRows(await readBytes(path), model.description.features);
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    using bar = startProgress(context, "encrypting");
    const { file, scales } = await encryptRows(backend, secret, model, rows, { onProgress: bar.update });
    if (scales !== null) {
      const text = encodeScales(model.id, scales);
      await writeNew(sidecar, text, { isPrivate: true, force: options.force });
    }
    await writeNew(options.out, file, { force: options.force });
    report(context, options, {
      model_id: model.id,
      rows: rows.length,
      bytes: file.length,
      out: options.out,
      scales: scales === null ? null : sidecar,
    });
  } finally {
    backend.close();
  }
}

interface Report {
  readonly model_id: string;
  readonly rows: number;
  readonly bytes: number;
  readonly out: string;
  readonly scales: string | null;
}

function report(context: Context, options: EncryptOptions, made: Report): void {
  if (options.json) return context.out(JSON.stringify(made, null, 2) + "\n");
  context.out(`${made.rows} rows for model ${made.model_id}: ${made.out} (${made.bytes} bytes)\n`);
  if (made.scales !== null) context.out(`keep for decryption: ${made.scales}\n`);
}
