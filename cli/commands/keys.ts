/** `sotto keys`: make key pairs, and register their public half with the server. */
import type { Command } from "commander";
import type { RegisteredKeys } from "../../client/mod.ts";
import type { Context } from "../context.ts";
import { readBytes } from "../files.ts";
import { connect, examples, type ServerOptions, withServer } from "../options.ts";
import { printRecords } from "../tables.ts";
import { addMakeKeys } from "./make_keys.ts";

/** Adds the group to the program. */
export function addKeys(program: Command, context: Context): void {
  const keys = program.command("keys").description(
    "key pairs: the secret key stays here, evaluation keys and lookup keys go to the server",
  );
  addMakeKeys(keys, context);
  withServer(keys.command("register <files...>"))
    .description("send key files to the server")
    .addHelpText(
      "after",
      examples(
        "sotto keys register sotto-evaluation.key",
        "sotto keys register sotto-evaluation.key sotto-lookup2.key",
      ),
    )
    .action((files: string[], options: ServerOptions) => register(context, files, options));
  withServer(keys.command("list"))
    .description("list the key files that the server holds")
    .addHelpText("after", examples("sotto keys list", "sotto keys list --json"))
    .action((options: ServerOptions) => list(context, options));
  withServer(keys.command("delete <id>"))
    .description("remove a key file from the server")
    .addHelpText("after", examples("sotto keys delete 3f2a..."))
    .action((id: string, options: ServerOptions) => remove(context, id, options));
}

async function register(context: Context, files: readonly string[], options: ServerOptions): Promise<void> {
  const client = connect(options);
  const registered: RegisteredKeys[] = [];
  for (const file of files) {
    const keys = await client.registerKeys(await readBytes(file));
    registered.push(keys);
    if (options.json) continue;
    context.out(`registered ${keys.id}\n  ${keys.capability} keys of key pair ${keys.key_id}, `);
    context.out(`until ${keys.expires_at ?? "deleted"}\n`);
  }
  if (options.json) context.out(JSON.stringify(files.length === 1 ? registered[0] : registered, null, 2) + "\n");
}

async function list(context: Context, options: ServerOptions): Promise<void> {
  const keys = await connect(options).listKeys();
  printRecords(context, keys, ["id", "key_id", "capability", "bytes", "created_at", "expires_at"], options.json);
}

async function remove(context: Context, id: string, options: ServerOptions): Promise<void> {
  await connect(options).deleteKeys(id);
  context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${id}\n`);
}
