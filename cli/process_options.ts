/** Options of the commands that run until they are interrupted: servers and workers. */
import { type Command, Option } from "commander";
import { wholeNumber } from "./options.ts";

/** What both take; what is left out comes from the environment. */
export interface ProcessOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly threads?: number;
  readonly backend?: string;
}

/** Adds the options to a command. */
export function addProcessOptions(command: Command): Command {
  return command
    .addOption(new Option("--data <folder>", 'data folder (default: "./data")').env("SOTTO_DATA_DIR"))
    .addOption(new Option("--database-url <url>", "PostgreSQL, instead of the embedded database").env("DATABASE_URL"))
    .addOption(
      new Option("--threads <count>", "worker threads (default: all cores)").env("SOTTO_THREADS").argParser(
        wholeNumber(1, 1024),
      ),
    )
    .addOption(new Option("--backend <name>", "kernels (default: the fastest of this machine)").env("SOTTO_BACKEND"));
}

/** The environment variables that the options stand for. */
export function processEnvironment(options: ProcessOptions): Record<string, string> {
  return environmentOf({
    SOTTO_DATA_DIR: options.data,
    DATABASE_URL: options.databaseUrl,
    SOTTO_THREADS: options.threads,
    SOTTO_BACKEND: options.backend,
  });
}

/** Environment variables of the options that were given. */
export function environmentOf(
  variables: Readonly<Record<string, string | number | undefined>>,
): Record<string, string> {
  const given = Object.entries(variables).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
