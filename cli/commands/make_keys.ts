/** `sotto keys new` and `sotto keys make`: files of key pairs. */
import { type Command, Option } from "commander";
import type { Capability } from "../../circuits/backend.ts";
import { HEADER_BYTES, keyPayloadBytes } from "../../circuits/wire.ts";
import { newKeys, serverFile } from "../../client/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { refuseExisting, writeNew } from "../files.ts";
import { collectCapability, keyFileBeside } from "../key_files.ts";
import { examples, withSecretKey } from "../options.ts";
import { newPassphrase, openKeyFile, type PassphraseOptions } from "../passphrase.ts";
import { startProgress } from "../progress.ts";

interface NewOptions extends PassphraseOptions {
  readonly secret: string;
  readonly evaluation: string;
  readonly capability?: readonly Capability[];
  readonly force?: boolean;
  readonly json?: boolean;
}

interface MakeOptions extends PassphraseOptions {
  readonly key: string;
  readonly capability: readonly Capability[];
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** A file for the server. */
interface MadeFile {
  readonly capability: Capability;
  readonly file: string;
  readonly bytes: number;
}

const CAPABILITY_HELP =
  "a kind of keys to make, may be given several times: pack (0.6 MB, for trees and every network), " +
  "lookup1, lookup2, lookup3 (22, 43, 65 MB, for networks; `sotto models show` tells which)";

const capabilityOption = () =>
  new Option("--capability <capability>", CAPABILITY_HELP).argParser<Capability[]>(collectCapability);

/** Adds both commands to the group. */
export function addMakeKeys(keys: Command, context: Context): void {
  keys.command("new")
    .description("make a key pair: a secret key file (only you may read it) and key files for the server")
    .option("--secret <file>", "secret key file to create", "sotto-secret.key")
    .option(
      "--evaluation <file>",
      "evaluation key file to create; other files get names like it",
      "sotto-evaluation.key",
    )
    .addOption(capabilityOption())
    .option("--passphrase-file <file>", "file that holds a passphrase for the secret key (or set SOTTO_PASSPHRASE)")
    .option("--no-passphrase", "do not seal the secret key with a passphrase")
    .option("--force", "replace existing files")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "sotto keys new",
        "sotto keys new --secret alice.key --evaluation alice.evaluation.key",
        "sotto keys new --capability pack --capability lookup2",
      ),
    )
    .action((options: NewOptions) => makePair(context, options));
  withSecretKey(keys.command("make"))
    .description("make further key files for the server from an existing secret key")
    .addOption(capabilityOption().makeOptionMandatory())
    .option("--out <file>", "key file to create, with one capability (default: named like the secret key file)")
    .option("--force", "replace existing files")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "sotto keys make --capability lookup2 --key sotto-secret.key",
        "sotto keys register sotto-lookup2.key",
      ),
    )
    .action((options: MakeOptions) => makeFiles(context, options));
}

async function makePair(context: Context, options: NewOptions): Promise<void> {
  const capabilities = options.capability ?? ["pack"];
  const paths = new Map(capabilities.map((capability) => [capability, pathOf(options.evaluation, capability)]));
  await refuseExisting([options.secret, ...paths.values()], options.force);
  const passphrase = await newPassphrase(context, options);
  const backend = await context.openBackend();
  try {
    using bar = startProgress(context, `making keys (${megabytes(capabilities)})`);
    const { secretFile, files, keyId } = await newKeys(backend, { passphrase, capabilities, onProgress: bar.update });
    await writeNew(options.secret, secretFile, { isPrivate: true, force: options.force }).finally(() =>
      secretFile.fill(0)
    );
    const made: MadeFile[] = [];
    for (const [capability, bytes] of files) made.push(await write(paths.get(capability)!, capability, bytes, options));
    report(context, options, { key_id: keyId, secret: options.secret }, made);
  } finally {
    backend.close();
  }
}

async function makeFiles(context: Context, options: MakeOptions): Promise<void> {
  const { capability: capabilities, out } = options;
  if (out !== undefined && capabilities.length > 1) {
    throw new SottoError("malformed_request", "--out names one file: give one --capability, or leave --out out");
  }
  const paths = new Map(capabilities.map((capability) => [capability, out ?? keyFileBeside(options.key, capability)]));
  await refuseExisting([...paths.values()], options.force);
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    using bar = startProgress(context, `making keys (${megabytes(capabilities)})`);
    const made: MadeFile[] = [];
    for (const [capability, path] of paths) {
      made.push(await write(path, capability, await serverFile(backend, secret, capability), options));
      bar.update(made.length / paths.size);
    }
    report(context, options, { key_id: secret.keyId.toHex() }, made);
  } finally {
    backend.close();
  }
}

function pathOf(evaluation: string, capability: Capability): string {
  return capability === "pack" ? evaluation : keyFileBeside(evaluation, capability);
}

function megabytes(capabilities: readonly Capability[]): string {
  const bytes = capabilities.reduce((sum, capability) => sum + keyPayloadBytes(capability) + HEADER_BYTES, 0);
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

async function write(
  file: string,
  capability: Capability,
  bytes: Uint8Array,
  { force }: { readonly force?: boolean },
): Promise<MadeFile> {
  await writeNew(file, bytes, { force });
  return { capability, file, bytes: bytes.length };
}

function report(
  context: Context,
  options: { readonly json?: boolean },
  pair: { readonly key_id: string; readonly secret?: string },
  made: readonly MadeFile[],
): void {
  if (options.json) {
    const evaluation = made.find(({ capability }) => capability === "pack");
    const first = { evaluation: evaluation?.file, bytes: evaluation?.bytes };
    return context.out(JSON.stringify([{ ...pair, ...first, files: made }], null, 2) + "\n");
  }
  context.out(`key pair ${pair.key_id}\n`);
  if (pair.secret !== undefined) context.out(`  keep secret: ${pair.secret}\n`);
  for (const { file, bytes } of made) context.out(`  register:    ${file} (${bytes} bytes)\n`);
}
