import type { Setting } from "./setting.ts";
import { SECTIONS } from "./settings.ts";

const HEADER = `# Configuration

<!-- Made by \`sotto config show --markdown\` from config/. -->

The server, the workers and the commands that work on the server's database read environment variables. An empty variable counts as
absent. A secret may lie in a file instead: \`DATABASE_URL_FILE=/run/secrets/database\` and so on. \`sotto config check\` shows what this
environment gives, says what is wrong, and names variables that are no settings. Sizes are bytes.
`;

/** docs/configuration.md: every setting with its default and what it is for; the same on every machine. */
export function configMarkdown(): string {
  const sections = Object.entries(SECTIONS).map(([title, settings]) =>
    `## ${title}\n\n${Object.values(settings).map((setting) => describe(setting as Setting<unknown>)).join("\n")}\n`
  );
  return [HEADER, ...sections].join("\n");
}

function describe({ variable, description, secret, standard, schema }: Setting<unknown>): string {
  const value = standard ?? standardText(schema.safeParse(undefined).data);
  return `- \`${variable}\` (${value}${secret ? "; secret" : ""}): ${description}`;
}

function standardText(value: unknown): string {
  if (value === undefined) return "none";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
