/** Where a passphrase comes from: a file, the environment, or a question on the terminal. */
import type { ClientBackend } from "../circuits/backend.ts";
import { isSealed, type OpenSecretKey, openSecretKey } from "../client/mod.ts";
import { SottoError } from "../errors.ts";
import type { Context } from "./context.ts";
import { readBytes, warnIfShared } from "./files.ts";

/** Options that name a passphrase. */
export interface PassphraseOptions {
  readonly passphraseFile?: string;
  /** False for `--no-passphrase`. */
  readonly passphrase?: boolean;
}

/** The passphrase for a new key; undefined means that the key is written unsealed, which is said aloud. */
export async function newPassphrase(context: Context, options: PassphraseOptions): Promise<string | undefined> {
  if (options.passphrase === false) return undefined;
  const given = await givenPassphrase(context, options);
  if (given !== undefined) return given;
  const asked = context.isTerminal ? await askTwice(context) : "";
  if (asked !== "") return asked;
  context.err("warning: the secret key is written without a passphrase: whoever reads the file reads your data\n");
  return undefined;
}

async function askTwice(context: Context): Promise<string> {
  const first = await context.askHidden("passphrase for the secret key (empty for none): ");
  if (first === "") return first;
  const second = await context.askHidden("the same again: ");
  if (first === second) return first;
  throw new SottoError("passphrase_wrong", "the two passphrases differ: start again");
}

/** Reads and opens a secret key file; asks for its passphrase when it is sealed. */
export async function openKeyFile(
  context: Context,
  backend: ClientBackend,
  path: string,
  options: PassphraseOptions,
): Promise<OpenSecretKey> {
  const file = await readBytes(path);
  try {
    await warnIfShared(context, path);
    const passphrase = isSealed(file) ? await knownPassphrase(context, path, options) : undefined;
    return await openSecretKey(backend, file, passphrase);
  } finally {
    file.fill(0);
  }
}

async function knownPassphrase(context: Context, path: string, options: PassphraseOptions): Promise<string> {
  const given = await givenPassphrase(context, options);
  if (given !== undefined) return given;
  if (context.isTerminal) return await context.askHidden(`passphrase of ${path}: `);
  throw new SottoError(
    "passphrase_needed",
    `${path} is sealed with a passphrase: pass --passphrase-file FILE or set SOTTO_PASSPHRASE`,
  );
}

async function givenPassphrase(context: Context, options: PassphraseOptions): Promise<string | undefined> {
  if (options.passphraseFile === undefined) return context.environment("SOTTO_PASSPHRASE") || undefined;
  await warnIfShared(context, options.passphraseFile);
  const line = new TextDecoder().decode(await readBytes(options.passphraseFile)).replace(/\r?\n$/, "");
  if (line !== "") return line;
  throw new SottoError("passphrase_needed", `${options.passphraseFile} is empty: write the passphrase into it`);
}
