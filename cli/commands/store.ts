/** `sotto store`: the object store, on the server's machine. */
import type { Command } from "commander";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { configOf, type DatabaseOptions, withDatabaseOptions } from "../database_options.ts";
import { openParts } from "../open_parts.ts";
import { examples } from "../options.ts";
import { printRecords } from "../tables.ts";

const MINUTE_MS = 60_000;

interface StoreOptions extends DatabaseOptions {
  readonly json?: boolean;
}

interface CollectOptions extends StoreOptions {
  readonly dryRun?: boolean;
  readonly all?: boolean;
}

/** Adds the group to the program. */
export function addStore(program: Command, context: Context): void {
  const store = program.command("store").description("the objects of the server (on its machine)");
  withDatabaseOptions(store.command("collect"))
    .description("remove objects that nothing names and that are older than SOTTO_OBJECT_GRACE_MINUTES")
    .option("--dry-run", "count them, and remove nothing")
    .option("--all", "remove them even when they are most of the objects")
    .option("--json", "print JSON")
    .addHelpText("after", examples("sotto store collect --dry-run"))
    .action((options: CollectOptions) => collect(context, options));
  withDatabaseOptions(store.command("check"))
    .description("read every object, and name those that were changed or are missing")
    .option("--json", "print JSON")
    .addHelpText("after", examples("sotto store check"))
    .action((options: StoreOptions) => check(context, options));
}

async function collect(context: Context, { dryRun, all, json, ...options }: CollectOptions): Promise<void> {
  const { collectObjects } = await import("../../store/mod.ts");
  const config = configOf(options);
  await using parts = await openParts(config);
  const before = new Date(Date.now() - config.objectGraceMinutes * MINUTE_MS);
  const collected = await collectObjects({ ...parts, config }, { before, dryRun, all });
  printRecords(context, [collected], ["objects", "bytes", "leftovers"], json);
}

async function check(context: Context, { json, ...options }: StoreOptions): Promise<void> {
  const { checkObjects } = await import("../../store/mod.ts");
  await using parts = await openParts(configOf(options));
  const { objects, bytes, problems } = await checkObjects(parts);
  printRecords(context, problems, ["problem", "digest", "tenants"], json);
  context.err(`${objects} objects, ${bytes} bytes, ${problems.length} problems\n`);
  if (problems.length === 0) return;
  const message = `${problems.length} objects are changed or missing: restore them from a backup, or upload them again`;
  throw new SottoError("store_corrupt", message);
}
