/** `sotto migrate`: brings the database to this version. */
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { configOf, type DatabaseOptions, withDatabaseOptions } from "../database_options.ts";
import { examples } from "../options.ts";

/** Adds the command to the program. */
export function addMigrate(program: Command, context: Context): void {
  withDatabaseOptions(program.command("migrate"))
    .description("bring the database to this version; refused while another process does so, or when it is newer")
    .addHelpText("after", examples("sotto migrate", "DATABASE_URL=postgres://... sotto migrate"))
    .action((options: DatabaseOptions) => migrateHere(context, options));
}

async function migrateHere(context: Context, options: DatabaseOptions): Promise<void> {
  const { migrate } = await import("../../main.ts");
  await migrate(configOf(options));
  context.err("the database is at this version\n");
}
