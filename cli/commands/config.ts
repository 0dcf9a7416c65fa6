/** `sotto config`: what the environment configures. */
import type { Command } from "commander";
import { checkConfig, configMarkdown, readConfig, readTls, type SettingReport } from "../../config.ts";
import { isSottoError, SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { examples } from "../options.ts";
import { printRecords } from "../tables.ts";

interface CheckOptions {
  readonly json?: boolean;
}

interface ShowOptions {
  readonly markdown?: boolean;
}

/** Adds the group to the program. */
export function addConfig(program: Command, context: Context): void {
  const config = program.command("config").description("the server's settings, which are environment variables");
  config.command("check")
    .description("show every setting with its value and source, and what is wrong; fails when something is")
    .option("--json", "print JSON")
    .addHelpText("after", examples("sotto config check", "SOTTO_PORT=80800 sotto config check --json"))
    .action((options: CheckOptions) => check(context, options));
  config.command("show")
    .description("describe every setting")
    .option("--markdown", "as the page docs/configuration.md")
    .addHelpText("after", examples("sotto config show", "sotto config show --markdown > docs/configuration.md"))
    .action((options: ShowOptions) => show(context, options));
}

function check(context: Context, { json }: CheckOptions): void {
  const { settings, unknown } = checkConfig(Deno.env.toObject());
  const problems = [...settings.flatMap(problemOf), ...unknown];
  if (problems.length === 0) problems.push(...findProblemsOfFiles());
  if (json) context.out(JSON.stringify({ settings, problems }, null, 2) + "\n");
  else printRecords(context, settings, ["variable", "value", "source"], false);
  if (problems.length > 0) throw new SottoError("configuration_invalid", problems.join("; "));
  context.err("the configuration is valid\n");
}

function problemOf({ variable, problem }: SettingReport): string[] {
  return problem === undefined ? [] : [`${variable}: ${problem}`];
}

/** What only shows when the files that settings name are read. */
function findProblemsOfFiles(): string[] {
  try {
    readTls(readConfig());
    return [];
  } catch (error) {
    if (isSottoError(error)) return [error.message];
    throw error;
  }
}

function show(context: Context, { markdown }: ShowOptions): void {
  if (markdown) return context.out(configMarkdown());
  const { settings } = checkConfig({});
  printRecords(
    context,
    settings.map(({ variable, value }) => ({ variable, default: value })),
    ["variable", "default"],
    false,
  );
}
