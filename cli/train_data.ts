/** `sotto train upload`: what a data owner does, with the token of its own. */
import type { Command } from "commander";
import type { ClientBackend } from "../circuits/backend.ts";
import type { Encryptor } from "../circuits/training/mod.ts";
import {
  alignedTable,
  featureRows,
  openPublicKey,
  type OpenSecretKey,
  type OwnData,
  type OwnTable,
  readTable,
  rowOrderDigest,
  sendBatches,
  targetsOf,
  type TrainingCalls,
  type TrainingPublic,
} from "../client/mod.ts";
import { SottoError } from "../errors.ts";
import type { Context } from "./context.ts";
import { readBytes } from "./files.ts";
import { connect, examples, type ServerOptions, withServer } from "./options.ts";
import { openKeyFile, type PassphraseOptions } from "./passphrase.ts";
import { startProgress } from "./progress.ts";

interface UploadOptions extends ServerOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly label?: string;
  readonly id?: string;
  readonly key?: string;
}

/** Adds the command to the group. */
export function addTrainUpload(train: Command, context: Context): void {
  withServer(train.command("upload <session> <rows>"))
    .description("encrypt your part of a training with the session's public key and send it (token of a data owner)")
    .option("--label <column>", "column of the labels (owners of rows or labels)")
    .option("--id <column>", "column of the row ids: rows are put into the published order, and the order is confirmed")
    .option("--key <file>", "secret key file: its owner sends half as much")
    .option("--passphrase-file <file>", "file that holds the passphrase (or set SOTTO_PASSPHRASE)")
    .addHelpText(
      "after",
      examples(
        "sotto train upload 0b8f... rows.csv --label diagnosis --token $CLINIC_TOKEN",
        "sotto train upload 0b8f... columns.csv --id patient --token $BANK_TOKEN",
      ),
    )
    .action((id: string, rows: string, options: UploadOptions) => upload(context, id, rows, options));
}

async function upload(context: Context, id: string, path: string, options: UploadOptions): Promise<void> {
  const calls = connect(options).training;
  const shared = await calls.public(id);
  const data = ownData(shared, await orderedTable(calls, shared, readTable(await readBytes(path)), options), options);
  const backend = await context.openBackend();
  try {
    using secret = options.key === undefined ? undefined : await openKeyFile(context, backend, options.key, options);
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    using bar = startProgress(context, "encrypting and sending");
    const run = { signal: abort.signal, onProgress: bar.update };
    const sent = await sendBatches(calls, backend, encryptorOf(backend, shared, secret), shared, data, run);
    context.out(options.json ? JSON.stringify(sent) + "\n" : `sent ${sent.batches} batches, ${sent.bytes} bytes\n`);
  } finally {
    backend.close();
  }
}

/** Rows in the published order, which is confirmed; owners of rows without ids keep their own. */
async function orderedTable(
  calls: TrainingCalls,
  shared: TrainingPublic,
  table: OwnTable,
  options: UploadOptions,
): Promise<OwnTable> {
  if (shared.owner.kind === "rows") return table;
  if (options.id === undefined) {
    throw new SottoError("malformed_request", `an owner of ${shared.owner.kind} names its column of row ids with --id`);
  }
  const { ids } = await calls.order(shared.id);
  const aligned = alignedTable(table, options.id, ids);
  await calls.confirmOrder(shared.id, rowOrderDigest(ids));
  return aligned;
}

function ownData({ spec, owner }: TrainingPublic, table: OwnTable, options: UploadOptions): OwnData {
  const rows = owner.kind === "labels"
    ? []
    : featureRows(table, spec, owner.kind === "columns" ? owner.columns : undefined);
  if (owner.kind === "columns") return { rows, targets: [] };
  if (options.label === undefined) {
    throw new SottoError("malformed_request", `an owner of ${owner.kind} names the column of its labels with --label`);
  }
  return { rows, targets: targetsOf(table, spec, options.label) };
}

function encryptorOf(backend: ClientBackend, shared: TrainingPublic, secret: OpenSecretKey | undefined): Encryptor {
  if (secret !== undefined) {
    if (secret.keyId.toHex() === shared.key_id) return { secretKey: secret.key };
    throw new SottoError("wrong_key", `the secret key is of ${secret.keyId.toHex()}, the session of ${shared.key_id}`);
  }
  if (shared.public_key === null) {
    throw new SottoError(
      "key_missing",
      "the session has no public key yet: its owner sends it with `sotto train keys`",
    );
  }
  return { publicKey: openPublicKey(backend, Uint8Array.fromBase64(shared.public_key), shared.key_id) };
}
