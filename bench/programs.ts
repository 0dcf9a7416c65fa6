/** Running native programs that print one figure a line: `name value unit`. */
import { SottoError } from "../errors.ts";

/** Figures by their names, without units: a program's names say them. */
export type Figures = ReadonlyMap<string, number>;

export interface ProgramOptions {
  /** Added to the environment. */
  readonly env?: Record<string, string>;
  /** Pins the program to one core, so that its threads share it and the scheduler does not move it. */
  readonly core?: number;
  readonly cwd?: string;
  /** What to do when the program is not there, for the error message. */
  readonly missing?: string;
}

const FIGURE = /^(\S+) ([+-]?\d[\d.]*(?:e[+-]?\d+)?)(?: \S+)?$/;

/** Reads the lines that are a name, a number and perhaps a unit; other lines are words for people. */
export function parseFigures(text: string): Figures {
  const matches = text.split("\n").map((line) => FIGURE.exec(line.trim()));
  return new Map(matches.filter((match) => match !== null).map(([, name, value]) => [name, Number(value)]));
}

/**
 * One figure of a program.
 * @throws SottoError `backend_failed` when the program did not print it
 */
export function figure(figures: Figures, name: string): number {
  const value = figures.get(name);
  if (value === undefined) throw new SottoError("backend_failed", `the measuring program printed no figure "${name}"`);
  return value;
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws SottoError `configuration_invalid` when it is not installed, `backend_failed` with its last words when it fails
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const [file, rest] = options.core === undefined
    ? [program, [...args]]
    : ["taskset", ["-c", String(options.core), program, ...args]];
  const { env, cwd } = options;
  const output = await start(file, { args: rest, env, cwd, stdout: "piped", stderr: "piped" }).catch((cause) => {
    const advice = options.missing ?? "install it";
    throw new SottoError("configuration_invalid", `the program "${file}" cannot be started: ${advice}`, { cause });
  });
  const text = new TextDecoder().decode(output.stdout);
  if (output.success) return text;
  const words = `${text}\n${new TextDecoder().decode(output.stderr)}`.trim().split("\n").slice(-12).join("\n");
  throw new SottoError("backend_failed", `${program} failed with exit code ${output.code}:\n${words}`);
}

/** A program that is not there rejects, though Deno throws at once. */
async function start(file: string, options: Deno.CommandOptions): Promise<Deno.CommandOutput> {
  return await new Deno.Command(file, options).output();
}
