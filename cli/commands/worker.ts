/** `sotto worker`: computes the jobs of servers, in this process. */
import type { Command } from "commander";
import { readConfig } from "../../config.ts";
import type { Context } from "../context.ts";
import { examples } from "../options.ts";
import { addProcessOptions, processEnvironment, type ProcessOptions } from "../process_options.ts";

/** Adds the command to the program. */
export function addWorker(program: Command, context: Context): void {
  addProcessOptions(
    program.command("worker").description("compute the jobs of the servers of a PostgreSQL until it is interrupted"),
  )
    .addHelpText(
      "after",
      examples(
        "DATABASE_URL=postgres://... SOTTO_OBJECTS=s3://bucket/sotto sotto worker",
        "sotto worker --database-url postgres://... --data /srv/sotto --threads 8",
      ),
    )
    .action((options: ProcessOptions) => work(context, options));
}

async function work(context: Context, options: ProcessOptions): Promise<void> {
  const config = readConfig({ ...Deno.env.toObject(), ...processEnvironment(options) });
  const { startWorker } = await import("../../main.ts");
  const backend = await context.openBackend(config);
  try {
    const worker = await startWorker(config, backend);
    context.err(`working with ${backend.name}, ${backend.threads} threads; press Ctrl-C to stop\n`);
    await worker.finished;
  } finally {
    backend.close();
  }
}
