/** `sotto backup` and `sotto restore`: everything that a server keeps, in one file. */
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { configOf, type DatabaseOptions, withDatabaseOptions } from "../database_options.ts";
import { openParts } from "../open_parts.ts";
import { examples } from "../options.ts";

interface BackupOptions extends DatabaseOptions {
  readonly objects: boolean;
}

/** Adds `backup` to the program. */
export function addBackup(program: Command, context: Context): void {
  withDatabaseOptions(program.command("backup <file>"))
    .description("write database and objects to a new file; with PostgreSQL the server may run, else stop it first")
    .option("--no-objects", "only name the objects: their bucket or folder has a backup of its own")
    .addHelpText(
      "after",
      examples("sotto backup sotto.tar", "DATABASE_URL=postgres://... sotto backup --no-objects rows.tar"),
    )
    .action((file: string, options: BackupOptions) => backup(context, file, options));
}

/** Adds `restore` to the program. */
export function addRestore(program: Command, context: Context): void {
  withDatabaseOptions(program.command("restore <file>"))
    .description("restore a backup into an empty data folder or database, of either kind")
    .addHelpText("after", examples("sotto restore sotto.tar --data /var/lib/sotto"))
    .action((file: string, options: DatabaseOptions) => restore(context, file, options));
}

async function backup(context: Context, file: string, options: BackupOptions): Promise<void> {
  const { writeBackup } = await import("../../backup/mod.ts");
  const config = configOf(options);
  await using opened = await openParts(config);
  const { tables, objects } = await writeBackup(file, {
    ...opened,
    location: config.objects ?? `${config.dataDir}/objects`,
    withObjects: options.objects,
  });
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  context.err(`${file}: ${rows} rows, ${objects.count} objects${objects.included ? "" : " (named only)"}\n`);
}

async function restore(context: Context, file: string, options: DatabaseOptions): Promise<void> {
  const { restoreBackup } = await import("../../backup/mod.ts");
  const { Queue, requeueUnfinished } = await import("../../jobs/mod.ts");
  const config = configOf(options);
  await using opened = await openParts(config);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const queue = new Queue(opened.database, log);
  const basis = { config, log, queue, ...opened };
  await queue.start();
  try {
    const manifest = await restoreBackup(file, { ...opened, finish: (inside) => requeueUnfinished(basis, inside) });
    context.err(`restored the state of ${manifest.created_at}: ${manifest.objects.count} objects\n`);
  } finally {
    await queue.stop(1);
  }
}
