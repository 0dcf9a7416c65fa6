/** The building blocks of the table of settings. */
import { z } from "@hono/zod-openapi";

/** One setting of the server: an environment variable, what it may be, and what it is for. */
export interface Setting<T> {
  /** Name of the environment variable. */
  readonly variable: string;
  /** Turns the text of the variable (absent: undefined) into the value, or says what is wrong. */
  readonly schema: z.ZodType<T>;
  /** One or two sentences for operators, with the unit. */
  readonly description: string;
  /** Never shown; `VARIABLE_FILE` may name a file that holds it. */
  readonly secret: boolean;
  /** The default in words, where it depends on the machine or is the absence of a value. */
  readonly standard?: string;
}

/** What only some settings have. */
export interface SettingOptions {
  readonly secret?: boolean;
  readonly standard?: string;
}

/** One line of the table. */
export function setting<T>(
  variable: string,
  schema: z.ZodType<T>,
  description: string,
  { secret = false, standard }: SettingOptions = {},
): Setting<T> {
  return Object.freeze({ variable, schema, description, secret, standard });
}

/** A whole number between two bounds, both included. */
export const count = (smallest: number, largest: number) => z.coerce.number().int().min(smallest).max(largest);

/** A size in bytes, with its default. */
export const bytes = (standard: number) => count(1, Number.MAX_SAFE_INTEGER).default(standard);

/** `true` or `false`. */
export const flag = (standard: boolean) =>
  z.enum(["true", "false"]).default(standard ? "true" : "false").transform((word) => word === "true");
