/** Options of commands that work on the server's database on this machine. */
import { type Command, Option } from "commander";
import { type Config, readConfig } from "../config.ts";

/** Where the database is, as the command line says. */
export interface DatabaseOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
}

/** Adds `--data` and `--database-url`, which stand for SOTTO_DATA_DIR and DATABASE_URL. */
export function withDatabaseOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--data <folder>", 'data folder of the server (default: "./data")').env("SOTTO_DATA_DIR"),
    )
    .addOption(new Option("--database-url <url>", "PostgreSQL, instead of the embedded database").env("DATABASE_URL"));
}

/** The environment's configuration with what the command line changes. Throws `configuration_invalid`. */
export function configOf({ data, databaseUrl }: DatabaseOptions): Config {
  const changes = {
    ...(data === undefined ? {} : { SOTTO_DATA_DIR: data }),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  };
  return readConfig({ ...Deno.env.toObject(), ...changes });
}
