import { distance } from "fastest-levenshtein";
import { type Environment, fileVariable, type Reading, readSettings } from "./read_settings.ts";
import { SETTINGS } from "./settings.ts";

/** One setting, as `sotto config check` shows it. */
export interface SettingReport {
  readonly variable: string;
  /** Text for people; secrets are masked. */
  readonly value: string;
  readonly source: Reading["source"];
  readonly problem?: string;
}

/** All settings, and the variables that look like settings but are none. */
export interface ConfigCheck {
  readonly settings: readonly SettingReport[];
  /** One sentence for each unknown variable, with the nearest known name. */
  readonly unknown: readonly string[];
}

/** Variables of the command line, of the clients and of the storage client: known, but no settings of the server. */
const OTHER_VARIABLES = [
  "SOTTO_URL",
  "SOTTO_TOKEN",
  "SOTTO_SECRET_KEY",
  "SOTTO_MODEL",
  "SOTTO_PASSPHRASE",
  "SOTTO_DEBUG",
];
/** Variables of test programs. */
const TEST_PREFIX = "SOTTO_TEST_";

/** Checks an environment; throws nothing and shows no secret. */
export function checkConfig(environment: Environment): ConfigCheck {
  return { settings: readSettings(environment).map(report), unknown: unknownVariables(environment) };
}

function report({ setting, value, source, problem }: Reading): SettingReport {
  const masked = setting.secret && value !== undefined ? "(secret)" : shown(value);
  return { variable: setting.variable, value: masked, source, problem };
}

function shown(value: unknown): string {
  if (value === undefined) return "-";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function unknownVariables(environment: Environment): string[] {
  const known = knownVariables();
  return Object.keys(environment)
    .filter((name) => name.startsWith("SOTTO_") && !name.startsWith(TEST_PREFIX) && !known.includes(name))
    .sort()
    .map((name) => `there is no setting ${name}: did you mean ${nearest(name, known)}?`);
}

function knownVariables(): string[] {
  const names = Object.values(SETTINGS).flatMap(({ variable, secret }) =>
    secret ? [variable, fileVariable(variable)] : [variable]
  );
  return [...names, ...OTHER_VARIABLES];
}

function nearest(name: string, known: readonly string[]): string {
  return known.reduce((best, candidate) => distance(name, candidate) < distance(name, best) ? candidate : best);
}
