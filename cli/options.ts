/** Options that several commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type RegisteredModel, SottoClient } from "../client/mod.ts";
import { SottoError } from "../errors.ts";

export const DEFAULT_URL = "http://127.0.0.1:8080";

/** How to reach the server. */
export interface ServerOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** Adds --url, --token and --json. */
export function withServer(command: Command): Command {
  return command
    .addOption(new Option("--url <url>", `address of the server (default: "${DEFAULT_URL}")`).env("SOTTO_URL"))
    .addOption(
      new Option("--token <token>", "access token; the environment keeps it out of process lists").env("SOTTO_TOKEN"),
    )
    .option("--json", "print JSON");
}

/** Adds --key and the ways to give its passphrase. */
export function withSecretKey(command: Command): Command {
  return command
    .addOption(new Option("--key <file>", "secret key file").env("SOTTO_SECRET_KEY").makeOptionMandatory())
    .option("--passphrase-file <file>", "file that holds the passphrase (or set SOTTO_PASSPHRASE)");
}

/** Adds --model and --description. */
export function withModel(command: Command): Command {
  return command
    .addOption(new Option("--model <model>", "id or name of a model on the server").env("SOTTO_MODEL"))
    .option("--description <file>", "model file of `sotto models show --out FILE`, instead of asking the server");
}

/** A client for the server that the options name. @throws SottoError token_missing. */
export function connect(options: ServerOptions): SottoClient {
  if (!options.token) {
    throw new SottoError("token_missing", "an access token is needed: pass --token or set SOTTO_TOKEN");
  }
  return new SottoClient(options.url ?? DEFAULT_URL, options.token);
}

/**
 * A model by its id, or by its name when one model has it.
 * @throws SottoError model_unknown, conflict when several models have the name.
 */
export async function findModel(client: SottoClient, idOrName: string): Promise<RegisteredModel> {
  if (/^[0-9a-f]{64}$/.test(idOrName)) return await client.getModel(idOrName);
  const named = (await client.listModels()).filter((model) => model.name === idOrName);
  if (named.length === 0) throw new SottoError("model_unknown", `there is no model named "${idOrName}"`);
  if (named.length > 1) {
    throw new SottoError("conflict", `${named.length} models are named "${idOrName}": pass the id of one of them`);
  }
  return await client.getModel(named[0].id);
}

/** A parser of whole numbers in a range, for commander. */
export function wholeNumber(smallest: number, largest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= smallest && value <= largest) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${smallest} to ${largest}.`);
  };
}

/** A parser of numbers that are not negative, for commander. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("It must be a number that is not negative.");
}

/** Examples below the help of a command. */
export function examples(...lines: readonly string[]): string {
  return ["", "Examples:", ...lines.map((line) => `  $ ${line}`)].join("\n");
}
