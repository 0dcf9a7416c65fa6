/** Commands that work on the server's database, on its machine or, where a route exists, through the running server. */
import { type Command, Option } from "commander";
import type { Database, Tenant } from "../db/mod.ts";
import type { ServerOptions } from "./options.ts";

/** Where the database is. */
export interface DatabaseOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly json?: boolean;
}

/** Where the database is, or how to reach the server that has it. */
export type PlaceOptions = DatabaseOptions & ServerOptions;

/** Adds --data, --database-url and --json. */
export function withDatabase(command: Command): Command {
  return command
    .addOption(
      new Option("--data <folder>", 'data folder of the server on this machine (default: "./data")').env(
        "SOTTO_DATA_DIR",
      ),
    )
    .addOption(
      new Option("--database-url <url>", "PostgreSQL of the server, instead of a data folder").env("DATABASE_URL"),
    )
    .option("--json", "print JSON");
}

/** Adds those, and --url and --token. */
export function withPlace(command: Command): Command {
  return withDatabase(command)
    .addOption(new Option("--url <url>", "go through the running server (needs an admin token)").env("SOTTO_URL"))
    .addOption(new Option("--token <token>", "admin token, with --url").env("SOTTO_TOKEN"));
}

/** What is written on the command line wins over the environment; else a data folder wins over an address. */
export function located<T extends PlaceOptions>(options: T, command: Command): T {
  const isWritten = (name: string) => command.getOptionValueSource(name) === "cli";
  const isHere = isWritten("data") || isWritten("databaseUrl");
  if (isWritten("url") && !isHere) return { ...options, data: undefined, databaseUrl: undefined };
  return options;
}

/** Whether the command goes through the server. */
export function isRemote(options: PlaceOptions): boolean {
  return options.url !== undefined && options.data === undefined && options.databaseUrl === undefined;
}

/** Runs `work` on the database that the options name. */
export async function withServerDatabase<T>(
  options: DatabaseOptions,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { openDatabase } = await import("../db/mod.ts");
  const database = await openDatabase({
    dataDir: options.data ?? "./data",
    databaseUrl: options.databaseUrl || undefined,
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Notes in the audit log what a command did to a tenant. */
export async function noteInAudit(
  database: Database,
  tenant: Pick<Tenant, "id">,
  action: string,
  subject: string,
): Promise<void> {
  const { insertAudit } = await import("../db/mod.ts");
  await insertAudit(database, [{
    at: new Date(),
    tenantId: tenant.id,
    tokenId: null,
    action: `sotto ${action}`,
    subject,
    bytesIn: null,
    bytesOut: null,
    status: 200,
    code: null,
    requestId: crypto.randomUUID(),
    ms: 0,
  }]);
}
