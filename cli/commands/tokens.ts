/** `sotto tokens`: through the server with --url, else in the data folder or database of this machine. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { TokenSummary } from "../../client/mod.ts";
import type { TokenInfo } from "../../db/mod.ts";
import type { Context } from "../context.ts";
import { connect, examples, wholeNumber } from "../options.ts";
import {
  isRemote,
  located,
  noteInAudit,
  type PlaceOptions,
  withPlace,
  withServerDatabase,
} from "../server_database.ts";
import { printRecords } from "../tables.ts";

/** Adds the group to the program. */
export function addTokens(program: Command, context: Context): void {
  const tokens = program.command("tokens").description("access tokens of the server");
  addCreate(tokens, context);
  withPlace(tokens.command("list"))
    .description("list tokens (never the tokens themselves)")
    .addHelpText("after", examples("sotto tokens list", "sotto tokens list --url http://127.0.0.1:8080"))
    .action((options: PlaceOptions, command: Command) => list(context, located(options, command)));
  withPlace(tokens.command("show <id>"))
    .description("show a token: scopes, when it ends, when it was used last")
    .addHelpText("after", examples("sotto tokens show 4d1c0a..."))
    .action((id: string, options: PlaceOptions, command: Command) => show(context, id, located(options, command)));
  addRotate(tokens, context);
  withPlace(tokens.command("revoke <id>"))
    .description("revoke a token at once")
    .addHelpText("after", examples("sotto tokens revoke 4d1c0a..."))
    .action((id: string, options: PlaceOptions, command: Command) => revoke(context, id, located(options, command)));
}

/** What tokens may be for; the server knows the same. */
const SCOPES = ["predict", "train", "admin"] as const;
type Scope = typeof SCOPES[number];

const LARGEST_RATE = 1_000_000_000;

interface CreateOptions extends PlaceOptions {
  readonly tenant: string;
  readonly name: string;
  readonly scopes: Scope[];
  readonly days: number;
  readonly requestsPerMinute?: number;
}

function daysOption(): Option {
  return new Option("--days <days>", "days until it expires").argParser(wholeNumber(1, 3650)).default(90);
}

function addCreate(tokens: Command, context: Context): void {
  withPlace(tokens.command("create"))
    .description("make a token; it is printed once, on standard output")
    .option("--tenant <name>", "who the token is for; made when new (without --url)", "default")
    .option("--name <name>", "what the token is for", "")
    .addOption(
      new Option("--scopes <scopes>", "predict, train, admin or several, with commas").argParser(readScopes).default(
        ["predict", "admin"],
        "predict,admin",
      ),
    )
    .addOption(daysOption())
    .addOption(
      new Option("--requests-per-minute <count>", "limit of this token, besides its tenant's").argParser(
        wholeNumber(1, LARGEST_RATE),
      ),
    )
    .addHelpText(
      "after",
      examples(
        "export SOTTO_TOKEN=$(sotto tokens create --tenant clinic)",
        "sotto tokens create --scopes predict --days 7 --name 'ward 7'",
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
  const { name, scopes, days, requestsPerMinute } = options;
  const made = isRemote(options)
    ? await connect(options).createToken({ name, scopes, days, requests_per_minute: requestsPerMinute })
    : await createHere(options);
  if (options.json) return context.out(JSON.stringify(made, null, 2) + "\n");
  context.err(`token ${made.id}, scopes ${scopes.join(", ")}, ${days} days; it is shown this once:\n`);
  context.out(made.token + "\n");
}

async function createHere(options: CreateOptions): Promise<{ id: string; token: string }> {
  const { createToken, findOrCreateTenant } = await import("../../db/mod.ts");
  const { name, scopes, days, requestsPerMinute } = options;
  return await withServerDatabase(options, async (database) => {
    const tenant = await findOrCreateTenant(database, options.tenant);
    const request = { tenant: tenant.id, name, scopes, days, requestsPerMinute };
    const { id, token } = await createToken(database, request);
    await noteInAudit(database, tenant, "tokens create", id);
    return { id, token };
  });
}

async function list(context: Context, options: PlaceOptions): Promise<void> {
  const records = isRemote(options) ? await connect(options).listTokens() : await listHere(options);
  const columns = ["id", "name", "scopes", "expires_at", "revoked_at", "last_used_at"] as const;
  printRecords(context, records, columns, options.json);
}

async function listHere(options: PlaceOptions) {
  const { listTenants, listTokens } = await import("../../db/mod.ts");
  return await withServerDatabase(options, async (database) => {
    const tenants = new Map((await listTenants(database)).map((tenant) => [tenant.id, tenant.name]));
    const tokens = await listTokens(database);
    return tokens.map((token) => ({ ...summary(token), tenant: tenants.get(token.tenantId) }));
  });
}

async function show(context: Context, id: string, options: PlaceOptions): Promise<void> {
  const token = isRemote(options) ? await connect(options).getToken(id) : await showHere(id, options);
  if (options.json) return context.out(JSON.stringify(token, null, 2) + "\n");
  const lines = Object.entries(token).map(([key, value]) => `${key.replaceAll("_", " ")}: ${value ?? "-"}`);
  context.out(lines.join("\n") + "\n");
}

async function showHere(id: string, options: PlaceOptions): Promise<TokenSummary> {
  const { findToken } = await import("../../db/mod.ts");
  return await withServerDatabase(options, async (database) => summary(await findToken(database, id)));
}

interface RotateOptions extends PlaceOptions {
  readonly days: number;
  readonly grace: number;
}

function addRotate(tokens: Command, context: Context): void {
  withPlace(tokens.command("rotate <id>"))
    .description("make a token that takes the place of another; it is printed once, on standard output")
    .addOption(daysOption())
    .addOption(
      new Option("--grace <seconds>", "how long the old token stays good").argParser(wholeNumber(0, 30 * 86_400))
        .default(3600),
    )
    .addHelpText("after", examples("export SOTTO_TOKEN=$(sotto tokens rotate 4d1c0a... --grace 600)"))
    .action((id: string, options: RotateOptions, command: Command) => rotate(context, id, located(options, command)));
}

async function rotate(context: Context, id: string, options: RotateOptions): Promise<void> {
  const { days, grace } = options;
  const made = isRemote(options)
    ? await connect(options).rotateToken(id, { days, grace_seconds: grace })
    : await rotateHere(id, options);
  if (options.json) return context.out(JSON.stringify(made, null, 2) + "\n");
  context.err(`token ${made.id}, ${days} days; ${id} ends at ${made.old.expires_at}; it is shown this once:\n`);
  context.out(made.token + "\n");
}

async function rotateHere(id: string, options: RotateOptions) {
  const { rotateToken } = await import("../../db/mod.ts");
  return await withServerDatabase(options, async (database) => {
    const { made, old } = await rotateToken(database, id, { days: options.days, graceSeconds: options.grace });
    await noteInAudit(database, { id: made.tenantId }, "tokens rotate", `${id}/${made.id}`);
    return { id: made.id, token: made.token, old: summary(old) };
  });
}

async function revoke(context: Context, id: string, options: PlaceOptions): Promise<void> {
  if (isRemote(options)) await connect(options).revokeToken(id);
  else await revokeHere(id, options);
  context.out(options.json ? JSON.stringify({ revoked: id }) + "\n" : `revoked ${id}\n`);
}

async function revokeHere(id: string, options: PlaceOptions): Promise<void> {
  const { revokeToken } = await import("../../db/mod.ts");
  await withServerDatabase(options, async (database) => {
    const { tenantId } = await revokeToken(database, id);
    await noteInAudit(database, { id: tenantId }, "tokens revoke", id);
  });
}

/** As the server shows it. */
function summary(token: TokenInfo): TokenSummary {
  return {
    id: token.id,
    name: token.name,
    scopes: [...token.scopes],
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    revoked_at: token.revokedAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    replaced_by: token.replacedBy,
    requests_per_minute: token.requestsPerMinute,
  };
}
