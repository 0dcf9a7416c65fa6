/** `sotto keys`: make key pairs, and register their public half with the server. */
import type { Command } from "commander";
import { newKeys } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { readBytes, refuseExisting, writeNew } from "../files.ts";
import { connect, examples, type ServerOptions, withServer } from "../options.ts";
import { newPassphrase, type PassphraseOptions } from "../passphrase.ts";
import { printRecords } from "../tables.ts";

/** Adds the group to the program. */
export function addKeys(program: Command, context: Context): void {
  const keys = program.command("keys").description(
    "key pairs: the secret key stays here, the evaluation keys go to the server",
  );
  addNew(keys, context);
  withServer(keys.command("register <file>"))
    .description("send an evaluation key file to the server")
    .addHelpText("after", examples("sotto keys register sotto-evaluation.key"))
    .action((file: string, options: ServerOptions) => register(context, file, options));
  withServer(keys.command("list"))
    .description("list the evaluation keys that the server holds")
    .addHelpText("after", examples("sotto keys list", "sotto keys list --json"))
    .action((options: ServerOptions) => list(context, options));
  withServer(keys.command("delete <id>"))
    .description("remove evaluation keys from the server")
    .addHelpText("after", examples("sotto keys delete 3f2a..."))
    .action((id: string, options: ServerOptions) => remove(context, id, options));
}

interface NewOptions extends PassphraseOptions {
  readonly secret: string;
  readonly evaluation: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

function addNew(keys: Command, context: Context): void {
  keys.command("new")
    .description(
      "make a key pair: a secret key file (only you may read it) and an evaluation key file (for the server)",
    )
    .option("--secret <file>", "secret key file to create", "sotto-secret.key")
    .option("--evaluation <file>", "evaluation key file to create", "sotto-evaluation.key")
    .option("--passphrase-file <file>", "file that holds a passphrase for the secret key (or set SOTTO_PASSPHRASE)")
    .option("--no-passphrase", "do not seal the secret key with a passphrase")
    .option("--force", "replace existing files")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("sotto keys new", "sotto keys new --secret alice.key --evaluation alice.evaluation.key"),
    )
    .action((options: NewOptions) => makeKeys(context, options));
}

async function makeKeys(context: Context, options: NewOptions): Promise<void> {
  await refuseExisting([options.secret, options.evaluation], options.force);
  const passphrase = await newPassphrase(context, options);
  const backend = await context.openBackend();
  try {
    const { secretFile, evaluationFile, keyId } = await newKeys(backend, { passphrase });
    await writeNew(options.secret, secretFile, { isPrivate: true, force: options.force }).finally(() =>
      secretFile.fill(0)
    );
    await writeNew(options.evaluation, evaluationFile, { force: options.force });
    const made = {
      key_id: keyId,
      secret: options.secret,
      evaluation: options.evaluation,
      bytes: evaluationFile.length,
    };
    if (options.json) return printRecords(context, [made], [], true);
    context.out(
      `key pair ${keyId}\n  keep secret: ${made.secret}\n  register:    ${made.evaluation} (${made.bytes} bytes)\n`,
    );
  } finally {
    backend.close();
  }
}

async function register(context: Context, file: string, options: ServerOptions): Promise<void> {
  const client = connect(options);
  const keys = await client.registerKeys(await readBytes(file));
  if (options.json) context.out(JSON.stringify(keys, null, 2) + "\n");
  else context.out(`registered ${keys.id}\n  key pair ${keys.key_id}, until ${keys.expires_at ?? "deleted"}\n`);
}

async function list(context: Context, options: ServerOptions): Promise<void> {
  const keys = await connect(options).listKeys();
  printRecords(context, keys, ["id", "key_id", "bytes", "created_at", "expires_at"], options.json);
}

async function remove(context: Context, id: string, options: ServerOptions): Promise<void> {
  await connect(options).deleteKeys(id);
  context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${id}\n`);
}
