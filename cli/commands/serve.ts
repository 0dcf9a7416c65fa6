/** `sotto serve`: the server in this process. */
import { type Command, Option } from "commander";
import { readConfig } from "../../config.ts";
import type { Context } from "../context.ts";
import { examples, wholeNumber } from "../options.ts";
import { addProcessOptions, environmentOf, processEnvironment, type ProcessOptions } from "../process_options.ts";

interface ServeOptions extends ProcessOptions {
  readonly host?: string;
  readonly port?: number;
}

/** Adds the command to the program. */
export function addServe(program: Command, context: Context): void {
  const command = program.command("serve")
    .description("run the server until it is interrupted")
    .addOption(new Option("--host <address>", 'address to listen on (default: "127.0.0.1")').env("SOTTO_HOST"))
    .addOption(
      new Option("--port <port>", "port to listen on (default: 8080)").env("SOTTO_PORT").argParser(
        wholeNumber(0, 65535),
      ),
    );
  addProcessOptions(command)
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
  const own = environmentOf({ SOTTO_HOST: options.host, SOTTO_PORT: options.port });
  const config = readConfig({ ...Deno.env.toObject(), ...processEnvironment(options), ...own });
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
