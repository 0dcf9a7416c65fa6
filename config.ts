/** The server's configuration: the environment, read once and checked. The settings themselves: `config/process_settings.ts` and `work_settings.ts`. */
import { problemText, type Reading, readSettings } from "./config/read_settings.ts";
import type { Setting } from "./config/setting.ts";
import type { SETTINGS } from "./config/settings.ts";
import { SottoError } from "./errors.ts";

export { checkConfig, type ConfigCheck, type SettingReport } from "./config/check.ts";
export { configMarkdown } from "./config/markdown.ts";
export type { Placement } from "./config/placement.ts";
export { readTls, type Tls } from "./config/tls.ts";

type Settings = typeof SETTINGS;
type ValueOf<S> = S extends Setting<infer T> ? T : never;
type Values = { readonly [K in keyof Settings]: ValueOf<Settings[K]> };
type Absent<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

/** Checked, immutable settings, described in the tables of `config/settings.ts`. All sizes are bytes. */
export type Config = Omit<Values, Absent<Values>> & Partial<Pick<Values, Absent<Values>>>;

/**
 * Settings from environment variables; an empty variable counts as absent, and a secret may come from the file that `VARIABLE_FILE` names.
 * Throws `configuration_invalid` naming every variable that is wrong.
 */
export function readConfig(environment: Record<string, string | undefined> = Deno.env.toObject()): Config {
  const readings = readSettings(environment);
  const wrong = readings.filter((reading) => reading.problem !== undefined).map(problemText);
  if (wrong.length > 0) {
    throw new SottoError("configuration_invalid", `correct these environment variables: ${wrong.join("; ")}`);
  }
  const valueOf = ({ key, value }: Reading) => [key, value];
  return Object.freeze(Object.fromEntries(readings.map(valueOf)) as unknown as Config);
}
