import type { z } from "@hono/zod-openapi";
import type { Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting as the environment gives it. */
export interface Reading {
  /** Its name in `Config`. */
  readonly key: keyof typeof SETTINGS;
  readonly setting: Setting<unknown>;
  /** Where the value comes from: the variable, or the file that `VARIABLE_FILE` names. */
  readonly source: "default" | "environment" | "file";
  /** Undefined when there is a problem, and where the setting is absent. */
  readonly value?: unknown;
  /** What is wrong, without the value. */
  readonly problem?: string;
}

/** Pairs that make sense only together. */
const TOGETHER: readonly [keyof typeof SETTINGS, keyof typeof SETTINGS][] = [["tlsCertificate", "tlsKey"]];

/** Reads and checks every setting; throws nothing. */
export function readSettings(environment: Environment): Reading[] {
  const entries = Object.entries(SETTINGS) as unknown as [keyof typeof SETTINGS, Setting<unknown>][];
  const readings = entries.map(([key, setting]) => readSetting(key, setting, environment));
  return readings.map((reading) => withoutPartner(reading, readings));
}

/** `VARIABLE: what is wrong`. */
export function problemText({ setting, problem }: Reading): string {
  return `${setting.variable}: ${problem}`;
}

function readSetting(key: Reading["key"], setting: Setting<unknown>, environment: Environment): Reading {
  const given = findText(setting, environment);
  const reading = { key, setting, source: given.source };
  if (given.problem !== undefined) return { ...reading, problem: given.problem };
  const result = setting.schema.safeParse(given.text);
  if (result.success) return { ...reading, value: result.data };
  return { ...reading, problem: issues(result.error) };
}

function issues(error: z.ZodError): string {
  const name = (path: readonly PropertyKey[]) => path.length === 0 ? "" : `${path.map(String).join(".")}: `;
  return error.issues.map(({ path, message }) => name(path) + message).join(", ");
}

interface Given {
  readonly source: Reading["source"];
  readonly text?: string;
  readonly problem?: string;
}

function findText({ variable, secret }: Setting<unknown>, environment: Environment): Given {
  const text = environment[variable] || undefined;
  const file = secret ? environment[fileVariable(variable)] || undefined : undefined;
  if (file === undefined) return text === undefined ? { source: "default" } : { source: "environment", text };
  if (text !== undefined) {
    return { source: "environment", problem: `give it or ${fileVariable(variable)}, not both` };
  }
  try {
    return { source: "file", text: Deno.readTextFileSync(file).trim() };
  } catch {
    return { source: "file", problem: `the file that ${fileVariable(variable)} names cannot be read` };
  }
}

/** The variable that names a file with the value of a secret one. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`;
}

function withoutPartner(reading: Reading, readings: readonly Reading[]): Reading {
  const pair = TOGETHER.find((keys) => keys.includes(reading.key));
  if (pair === undefined || reading.problem !== undefined || reading.value === undefined) return reading;
  const partner = readings.find(({ key }) => pair.includes(key) && key !== reading.key);
  if (partner === undefined || partner.source !== "default") return reading;
  return { ...reading, value: undefined, problem: `give ${partner.setting.variable} too` };
}
