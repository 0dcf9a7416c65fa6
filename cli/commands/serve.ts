/** `sotto serve`: the server in this process. */
import { type Command, Option } from "commander";
import { readConfig } from "../../config.ts";
import type { Context } from "../context.ts";
import { examples, wholeNumber } from "../options.ts";

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly threads?: number;
  readonly backend?: string;
}

/** Adds the command to the program. */
export function addServe(program: Command, context: Context): void {
  program.command("serve")
    .description("run the server until it is interrupted")
    .addOption(new Option("--host <address>", 'address to listen on (default: "127.0.0.1")').env("SOTTO_HOST"))
    .addOption(
      new Option("--port <port>", "port to listen on (default: 8080)").env("SOTTO_PORT").argParser(
        wholeNumber(0, 65535),
      ),
    )
    .addOption(new Option("--data <folder>", 'data folder (default: "./data")').env("SOTTO_DATA_DIR"))
    .addOption(new Option("--database-url <url>", "PostgreSQL, instead of the embedded database").env("DATABASE_URL"))
    .addOption(
      new Option("--threads <count>", "worker threads (default: all cores)").env("SOTTO_THREADS").argParser(
        wholeNumber(1, 1024),
      ),
    )
    .addOption(new Option("--backend <name>", "kernels (default: the fastest of this machine)").env("SOTTO_BACKEND"))
    .addHelpText(
      "after",
      examples(
        "sotto serve",
        "sotto serve --port 9000 --data /var/lib/sotto",
        "DATABASE_URL=postgres://... sotto serve",
      ),
    )
    .action((options: ServeOptions) => serve(context, options));
}

async function serve(context: Context, options: ServeOptions): Promise<void> {
  const config = readConfig({ ...Deno.env.toObject(), ...environmentOf(options) });
  const { startServer } = await import("../../main.ts");
  const backend = await context.openBackend(config);
  try {
    const server = await startServer(config, backend);
    context.err(`listening on ${server.url} with ${backend.name}, ${backend.threads} threads; press Ctrl-C to stop\n`);
    await server.finished;
  } finally {
    backend.close();
  }
}

function environmentOf(options: ServeOptions): Record<string, string> {
  const variables = {
    SOTTO_HOST: options.host,
    SOTTO_PORT: options.port,
    SOTTO_DATA_DIR: options.data,
    DATABASE_URL: options.databaseUrl,
    SOTTO_THREADS: options.threads,
    SOTTO_BACKEND: options.backend,
  };
  const given = Object.entries(variables).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
