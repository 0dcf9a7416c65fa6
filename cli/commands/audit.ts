/** `sotto audit`: through the server with --url (own tenant, newest first), else from the database of this machine (oldest first). */
import { type Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "csv-stringify";
import { Readable } from "node:stream";
import type { AuditFilter, AuditRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { connect, examples } from "../options.ts";
import { isRemote, located, type PlaceOptions, withPlace, withServerDatabase } from "../server_database.ts";

interface ExportOptions extends PlaceOptions {
  readonly since?: Date;
  readonly until?: Date;
  readonly tenant?: string;
  readonly format: "jsonl" | "csv";
}

const COLUMNS = [
  "id",
  "at",
  "tenant",
  "token",
  "action",
  "subject",
  "bytes_in",
  "bytes_out",
  "status",
  "code",
  "request_id",
  "ms",
];

/** Adds the group to the program. */
export function addAudit(program: Command, context: Context): void {
  const audit = program.command("audit").description("what was asked for by whom: ids and sizes, never data");
  withPlace(audit.command("export"))
    .description("print the audit log, row by row")
    .addOption(new Option("--since <time>", "rows from then on, such as 2026-03-01").argParser(readTime))
    .addOption(new Option("--until <time>", "rows before then").argParser(readTime))
    .option("--tenant <name>", "rows of one tenant, by name, or by id when it is deleted (without --url)")
    .addOption(
      new Option("--format <format>", "one JSON object a line, or CSV").choices(["jsonl", "csv"]).default("jsonl"),
    )
    .addHelpText(
      "after",
      examples(
        "sotto audit export --since 2026-03-01 --until 2026-04-01 --format csv > march.csv",
        "sotto audit export --tenant clinic",
      ),
    )
    .action((options: ExportOptions, command: Command) => exportRows(context, located(options, command)));
}

function readTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError("Write a date or a time, such as 2026-03-01 or 2026-03-01T12:00:00Z.");
}

async function exportRows(context: Context, options: ExportOptions): Promise<void> {
  const { since, until } = options;
  if (isRemote(options)) {
    const range = { since: since?.toISOString(), until: until?.toISOString() };
    return await print(context, options, connect(options).audit(range));
  }
  const { exportAudit, listTenants } = await import("../../db/mod.ts");
  await withServerDatabase(options, async (database) => {
    const names = new Map((await listTenants(database)).map(({ id, name }) => [id, name]));
    const filter: AuditFilter = { since, until, tenantId: idOf(options.tenant, names) };
    await print(context, options, records(exportAudit(database, filter), names));
  });
}

function idOf(tenant: string | undefined, names: ReadonlyMap<string, string>): string | undefined {
  if (tenant === undefined) return undefined;
  const known = names.entries().find(([, name]) => name === tenant)?.[0];
  if (known !== undefined) return known;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(tenant)) return tenant;
  throw new SottoError("tenant_unknown", `there is no tenant ${tenant}: list them with \`sotto tenants list\``);
}

async function* records(rows: AsyncIterable<AuditRow>, names: ReadonlyMap<string, string>) {
  for await (const row of rows) {
    yield {
      id: row.id,
      at: row.at.toISOString(),
      tenant: names.get(row.tenantId) ?? row.tenantId,
      token: row.tokenId,
      action: row.action,
      subject: row.subject,
      bytes_in: row.bytesIn,
      bytes_out: row.bytesOut,
      status: row.status,
      code: row.code,
      request_id: row.requestId,
      ms: row.ms,
    };
  }
}

async function print(context: Context, options: ExportOptions, rows: AsyncIterable<object>): Promise<void> {
  if (options.format === "jsonl") {
    for await (const row of rows) context.out(JSON.stringify(row) + "\n");
    return;
  }
  // A cell that begins like a formula is marked as text.
  const csv = Readable.from(rows).pipe(stringify({ header: true, columns: COLUMNS, escape_formulas: true }));
  for await (const chunk of csv) context.out(String(chunk));
}
