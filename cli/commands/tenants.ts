/** `sotto tenants`: in the data folder or database of this machine only; the operator's, not the tenants'. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Tenant, TenantLimits } from "../../db/mod.ts";
import type { Context } from "../context.ts";
import { examples, wholeNumber } from "../options.ts";
import { type DatabaseOptions, noteInAudit, withDatabase, withServerDatabase } from "../server_database.ts";
import { printRecords } from "../tables.ts";

/** `default`: the server's limit again. */
type LimitOptions = DatabaseOptions & Partial<Record<keyof TenantLimits, number | "default">>;

/** Adds the group to the program. */
export function addTenants(program: Command, context: Context): void {
  const tenants = program.command("tenants").description("who uses the server, and how much (on the server's machine)");
  withLimits(withDatabase(tenants.command("create <name>")))
    .description("make a tenant")
    .addHelpText("after", examples("sotto tenants create clinic --requests-per-minute 6000"))
    .action((name: string, options: LimitOptions) => create(context, name, options));
  withDatabase(tenants.command("list")).description("list the tenants")
    .addHelpText("after", examples("sotto tenants list"))
    .action((options: DatabaseOptions) => list(context, options));
  withDatabase(tenants.command("show <name>")).description("show a tenant, its limits and how many tokens are good")
    .addHelpText("after", examples("sotto tenants show clinic"))
    .action((name: string, options: DatabaseOptions) => show(context, name, options));
  withLimits(withDatabase(tenants.command("set <name>"))).description("change limits of a tenant, at once")
    .addHelpText("after", examples("sotto tenants set clinic --requests-per-minute 600 --bytes-max default"))
    .action((name: string, options: LimitOptions) => change(context, name, options, limitsIn(options), "set"));
  addEnds(tenants, context);
}

function addEnds(tenants: Command, context: Context): void {
  withDatabase(tenants.command("disable <name>")).description("refuse the tenant's tokens from the next request on")
    .addHelpText("after", examples("sotto tenants disable clinic"))
    .action((name: string, options: DatabaseOptions) =>
      change(context, name, options, { disabledAt: new Date() }, "disable")
    );
  withDatabase(tenants.command("enable <name>")).description("take the tenant's tokens again")
    .addHelpText("after", examples("sotto tenants enable clinic"))
    .action((name: string, options: DatabaseOptions) => change(context, name, options, { disabledAt: null }, "enable"));
  withDatabase(tenants.command("delete <name>"))
    .description("delete a tenant that is disabled, with its tokens, keys, models, jobs and sessions, for good")
    .addHelpText("after", examples("sotto tenants disable clinic && sotto tenants delete clinic"))
    .action((name: string, options: DatabaseOptions) => remove(context, name, options));
}

function withLimits(command: Command): Command {
  const limit = (flag: string, what: string, largest: number) =>
    command.addOption(new Option(`${flag} <count>`, `${what}; or "default"`).argParser(readLimit(largest)));
  limit("--requests-per-minute", "requests in a minute", 1_000_000_000);
  limit("--upload-bytes-per-minute", "bytes of bodies in a minute", Number.MAX_SAFE_INTEGER);
  limit("--concurrent-requests", "requests inside at the same time", 1_000_000);
  limit("--queued-requests", "predictions that compute or wait", 1_000_000);
  limit("--bytes-max", "bytes that the tenant may store", Number.MAX_SAFE_INTEGER);
  return command;
}

function readLimit(largest: number): (text: string) => number | "default" {
  const number = wholeNumber(1, largest);
  return (text) => {
    if (text === "default") return text;
    try {
      return number(text);
    } catch (error) {
      throw new InvalidArgumentError(`${(error as Error).message} Or write "default".`);
    }
  };
}

function limitsIn(options: LimitOptions): Partial<TenantLimits> {
  const { requestsPerMinute, uploadBytesPerMinute, concurrentRequests, queuedRequests, bytesMax } = options;
  const limits = { requestsPerMinute, uploadBytesPerMinute, concurrentRequests, queuedRequests, bytesMax };
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, value === "default" ? null : value]));
}

async function create(context: Context, name: string, options: LimitOptions): Promise<void> {
  const { createTenant } = await import("../../db/mod.ts");
  const tenant = await withServerDatabase(options, async (database) => {
    const made = await createTenant(database, name, limitsIn(options));
    await noteInAudit(database, made, "tenants create", made.id);
    return made;
  });
  print(context, shown(tenant), options);
}

async function list(context: Context, options: DatabaseOptions): Promise<void> {
  const { listTenants } = await import("../../db/mod.ts");
  const tenants = await withServerDatabase(options, listTenants);
  printRecords(context, tenants.map(shown), ["id", "name", "created_at", "disabled_at"], options.json);
}

async function show(context: Context, name: string, options: DatabaseOptions): Promise<void> {
  const { countActiveTokens, findTenant } = await import("../../db/mod.ts");
  const found = await withServerDatabase(options, async (database) => {
    const tenant = await findTenant(database, name);
    return { ...shown(tenant), active_tokens: await countActiveTokens(database, tenant.id) };
  });
  print(context, found, options);
}

async function change(
  context: Context,
  name: string,
  options: DatabaseOptions,
  changes: Partial<TenantLimits & Pick<Tenant, "disabledAt">>,
  word: string,
): Promise<void> {
  const { changeTenant } = await import("../../db/mod.ts");
  const tenant = await withServerDatabase(options, async (database) => {
    const changed = await changeTenant(database, name, changes);
    await noteInAudit(database, changed, `tenants ${word}`, changed.id);
    return changed;
  });
  print(context, shown(tenant), options);
}

async function remove(context: Context, name: string, options: DatabaseOptions): Promise<void> {
  const { deleteTenant } = await import("../../db/mod.ts");
  const { id } = await withServerDatabase(options, async (database) => {
    const gone = await deleteTenant(database, name);
    await noteInAudit(database, gone, "tenants delete", gone.id);
    return gone;
  });
  context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${name} (${id})\n`);
}

function print(context: Context, tenant: Record<string, unknown>, { json }: DatabaseOptions): void {
  if (json) return context.out(JSON.stringify(tenant, null, 2) + "\n");
  const lines = Object.entries(tenant).map(([key, value]) => `${key.replaceAll("_", " ")}: ${value ?? "-"}`);
  context.out(lines.join("\n") + "\n");
}

/** As printed; a limit of null is the server's. */
function shown(tenant: Tenant) {
  return {
    id: tenant.id,
    name: tenant.name,
    created_at: tenant.createdAt.toISOString(),
    disabled_at: tenant.disabledAt?.toISOString() ?? null,
    requests_per_minute: tenant.requestsPerMinute,
    upload_bytes_per_minute: tenant.uploadBytesPerMinute,
    concurrent_requests: tenant.concurrentRequests,
    queued_requests: tenant.queuedRequests,
    bytes_max: tenant.bytesMax,
  };
}
