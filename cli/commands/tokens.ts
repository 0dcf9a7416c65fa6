/** `sotto tokens`: through the server with --url, else in the data folder or database of this machine. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { connect, examples, type ServerOptions, wholeNumber } from "../options.ts";
import { printRecords } from "../tables.ts";

interface TokenOptions extends ServerOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
}

/** Adds the group to the program. */
export function addTokens(program: Command, context: Context): void {
  const tokens = program.command("tokens").description("access tokens of the server");
  addCreate(tokens, context);
  withDatabase(tokens.command("list"))
    .description("list tokens (never the tokens themselves)")
    .addHelpText("after", examples("sotto tokens list", "sotto tokens list --url http://127.0.0.1:8080"))
    .action((options: TokenOptions, command: Command) => list(context, located(options, command)));
  withDatabase(tokens.command("revoke <id>"))
    .description("revoke a token at once")
    .addHelpText("after", examples("sotto tokens revoke 4d1c0a..."))
    .action((id: string, options: TokenOptions, command: Command) => revoke(context, id, located(options, command)));
}

function withDatabase(command: Command): Command {
  return command
    .addOption(
      new Option("--data <folder>", 'data folder of the server on this machine (default: "./data")').env(
        "SOTTO_DATA_DIR",
      ),
    )
    .addOption(
      new Option("--database-url <url>", "PostgreSQL of the server, instead of a data folder").env("DATABASE_URL"),
    )
    .addOption(new Option("--url <url>", "go through the running server (needs an admin token)").env("SOTTO_URL"))
    .addOption(new Option("--token <token>", "admin token, with --url").env("SOTTO_TOKEN"))
    .option("--json", "print JSON");
}

/** What tokens may be for; the server knows the same. */
const SCOPES = ["predict", "train", "admin"] as const;
type Scope = typeof SCOPES[number];

interface CreateOptions extends TokenOptions {
  readonly tenant: string;
  readonly scopes: Scope[];
  readonly days: number;
}

function addCreate(tokens: Command, context: Context): void {
  withDatabase(tokens.command("create"))
    .description("make a token; it is printed once, on standard output")
    .option("--tenant <name>", "who the token is for; made when new (without --url)", "default")
    .addOption(
      new Option("--scopes <scopes>", "predict, train, admin or several, with commas").argParser(readScopes).default(
        ["predict", "admin"],
        "predict,admin",
      ),
    )
    .addOption(new Option("--days <days>", "days until it expires").argParser(wholeNumber(1, 3650)).default(90))
    .addHelpText(
      "after",
      examples(
        "export SOTTO_TOKEN=$(sotto tokens create --tenant clinic)",
        "sotto tokens create --scopes predict --days 7",
      ),
    )
    .action((options: CreateOptions, command: Command) => create(context, located(options, command)));
}

function readScopes(text: string): Scope[] {
  const scopes = text.split(",").map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !SCOPES.some((known) => known === scope));
  if (unknown === undefined) return scopes as Scope[];
  throw new InvalidArgumentError(`There is no scope "${unknown}": use ${SCOPES.join(", ")} or several of them.`);
}

async function create(context: Context, options: CreateOptions): Promise<void> {
  const made = isRemote(options)
    ? await connect(options).createToken({ scopes: options.scopes, days: options.days })
    : await createHere(options);
  if (options.json) return context.out(JSON.stringify(made, null, 2) + "\n");
  context.err(`token ${made.id}, scopes ${options.scopes.join(", ")}, ${options.days} days; it is shown this once:\n`);
  context.out(made.token + "\n");
}

async function createHere(options: CreateOptions): Promise<{ id: string; token: string }> {
  const { createToken, findOrCreateTenant } = await import("../../db/mod.ts");
  await using opened = await openHere(options);
  const tenant = await findOrCreateTenant(opened.database, options.tenant);
  const { id, token } = await createToken(opened.database, {
    tenant: tenant.id,
    scopes: options.scopes,
    days: options.days,
  });
  return { id, token };
}

async function list(context: Context, options: TokenOptions): Promise<void> {
  const records = isRemote(options) ? await connect(options).listTokens() : await listHere(options);
  printRecords(context, records, ["id", "scopes", "created_at", "expires_at", "revoked_at"], options.json);
}

async function listHere(options: TokenOptions) {
  const { listTenants, listTokens } = await import("../../db/mod.ts");
  await using opened = await openHere(options);
  const tenants = new Map((await listTenants(opened.database)).map((tenant) => [tenant.id, tenant.name]));
  return (await listTokens(opened.database)).map((token) => ({
    id: token.id,
    tenant: tenants.get(token.tenantId),
    scopes: [...token.scopes],
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    revoked_at: token.revokedAt?.toISOString() ?? null,
  }));
}

async function revoke(context: Context, id: string, options: TokenOptions): Promise<void> {
  if (isRemote(options)) await connect(options).revokeToken(id);
  else await revokeHere(id, options);
  context.out(options.json ? JSON.stringify({ revoked: id }) + "\n" : `revoked ${id}\n`);
}

async function revokeHere(id: string, options: TokenOptions): Promise<void> {
  const { revokeToken } = await import("../../db/mod.ts");
  await using opened = await openHere(options);
  if (await revokeToken(opened.database, id)) return;
  throw new SottoError("token_invalid", `there is no token ${id}`);
}

/** What is written on the command line wins over the environment; else a data folder wins over an address. */
function located<T extends TokenOptions>(options: T, command: Command): T {
  const isWritten = (name: string) => command.getOptionValueSource(name) === "cli";
  const isHere = isWritten("data") || isWritten("databaseUrl");
  if (isWritten("url") && !isHere) return { ...options, data: undefined, databaseUrl: undefined };
  return options;
}

function isRemote(options: TokenOptions): boolean {
  return options.url !== undefined && options.data === undefined && options.databaseUrl === undefined;
}

async function openHere(options: TokenOptions) {
  const { openDatabase } = await import("../../db/mod.ts");
  const database = await openDatabase({
    dataDir: options.data ?? "./data",
    databaseUrl: options.databaseUrl || undefined,
  });
  return { database, [Symbol.asyncDispose]: () => database.close() };
}
