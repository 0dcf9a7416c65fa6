/** `sotto train`: training on encrypted data, for the owner of a session and for data owners. */
import { type Command, Option } from "commander";
import { parseTrainingSpec } from "../../circuits/training/mod.ts";
import {
  columnOf,
  type DataOwner,
  publicKeyFile,
  readTable,
  trainingKeyFile,
  type TrainingSession,
} from "../../client/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { readBytes } from "../files.ts";
import { connect, examples, type ServerOptions, wholeNumber, withSecretKey, withServer } from "../options.ts";
import { openKeyFile, type PassphraseOptions } from "../passphrase.ts";
import { printRecords } from "../tables.ts";
import { addTrainUpload } from "../train_data.ts";
import { addTrainModel } from "../train_model.ts";
import { addTrainRun } from "../train_run.ts";
import { addTrainSpec } from "../train_spec.ts";

interface NewOptions extends ServerOptions {
  readonly name: string;
  readonly rows?: number;
  readonly batches?: number;
  readonly checkpointEvery?: number;
}

interface OwnerOptions extends ServerOptions {
  readonly kind: DataOwner["kind"];
  readonly columns?: string[];
  readonly bias?: boolean;
  readonly firstBatch?: number;
  readonly batches?: number;
  readonly days: number;
}

interface KeyOptions extends ServerOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly key: string;
}

/** Adds the group to the program. */
export function addTrain(program: Command, context: Context): void {
  const train = program.command("train").description(
    "training on encrypted data: the server sees neither rows nor labels nor weights",
  );
  addTrainSpec(train, context);
  addSessions(train, context);
  addPreparation(train, context);
  addTrainUpload(train, context);
  addTrainRun(train, context);
  addTrainModel(train, context);
}

function addSessions(train: Command, context: Context): void {
  withServer(train.command("new <spec>"))
    .description("make a session from a specification (JSON)")
    .requiredOption("--name <name>", "name of the session")
    .option("--rows <count>", "rows of the only owner of rows, or of all owners of columns", wholeNumber(1, 1e9))
    .option("--batches <count>", "batches of all owners together, instead of --rows", wholeNumber(1, 1_000_000))
    .option("--checkpoint-every <steps>", "steps between two checkpoints", wholeNumber(1, 1_000_000))
    .addHelpText("after", examples("sotto train new spec.json --name cancer --rows 455"))
    .action((spec: string, options: NewOptions) => makeSession(context, spec, options));
  withServer(train.command("list")).description("list your sessions")
    .action(async (options: ServerOptions) => {
      const sessions = await connect(options).training.list();
      printRecords(context, sessions, ["id", "name", "state", "step", "steps", "changed_at"], options.json);
    });
  withServer(train.command("show <session>")).description("show a session")
    .action(async (id: string, options: ServerOptions) =>
      print(context, await connect(options).training.get(id), options)
    );
  for (const action of ["pause", "finish"] as const) {
    withServer(train.command(`${action} <session>`))
      .description(action === "pause" ? "end a run after its step" : "end the training: it can predict from then on")
      .action(async (id: string, options: ServerOptions) =>
        print(context, await connect(options).training[action](id), options)
      );
  }
  withServer(train.command("delete <session>")).description("delete a session with everything that belongs to it")
    .action(async (id: string, options: ServerOptions) => {
      await connect(options).training.delete(id);
      context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${id}\n`);
    });
}

function addPreparation(train: Command, context: Context): void {
  withSecretKey(withServer(train.command("keys <session>")))
    .description("make training keys and a public key from a secret key and send them")
    .action((id: string, options: KeyOptions) => sendKeys(context, id, options));
  withServer(train.command("owner <session> <name>"))
    .description("add a data owner and print its token")
    .addOption(new Option("--kind <kind>", "what it brings").choices(["rows", "columns", "labels"]).default("rows"))
    .option("--columns <names...>", "features of an owner of columns")
    .option("--bias", "an owner of columns that also brings the constant column")
    .option("--first-batch <number>", "first batch of an owner of rows", wholeNumber(0, 1_000_000))
    .option("--batches <count>", "batches of an owner of rows", wholeNumber(1, 1_000_000))
    .option("--days <days>", "until the token expires", wholeNumber(1, 3650), 90)
    .addHelpText(
      "after",
      examples(
        "sotto train owner 0b8f... clinic --first-batch 0 --batches 30",
        "sotto train owner 0b8f... bank --kind columns --columns income age --bias",
      ),
    )
    .action((id: string, name: string, options: OwnerOptions) => addOwner(context, id, name, options));
  withServer(train.command("remove-owner <session> <owner>"))
    .description("revoke the tokens of a data owner (its id); before the first run its uploads are removed, too")
    .action(async (id: string, owner: string, options: ServerOptions) => {
      await connect(options).training.removeOwner(id, owner);
      context.out(options.json ? JSON.stringify({ revoked: owner }) + "\n" : `revoked ${owner}\n`);
    });
  withServer(train.command("order <session> <rows>"))
    .description("publish the order of the rows by the ids in a CSV file")
    .requiredOption("--id <column>", "column of the row ids")
    .action(async (id: string, path: string, options: ServerOptions & { id: string }) => {
      const ids = columnOf(readTable(await readBytes(path)), options.id);
      await connect(options).training.publishOrder(id, ids);
      context.out(options.json ? JSON.stringify({ rows: ids.length }) + "\n" : `published ${ids.length} ids\n`);
    });
}

async function makeSession(context: Context, path: string, options: NewOptions): Promise<void> {
  const spec = parseTrainingSpec(parseJson(path, await readBytes(path)));
  const batchCount = options.batches ?? (options.rows === undefined ? 0 : Math.ceil(options.rows / spec.batch_size));
  if (batchCount === 0) throw new SottoError("malformed_request", "say how much comes: pass --rows or --batches");
  const { name, checkpointEvery } = options;
  const session = await connect(options).training.create({ name, spec, batchCount, checkpointEvery });
  if (options.json) return print(context, session, options);
  context.out(`${session.id}\n`);
  context.err(`${batchCount} batches; needs ${keysOf(session)} keys; ${timeOf(session)}\n`);
}

function keysOf({ plan }: TrainingSession): string {
  return `training, public and lookup${plan.lookup_setting}`;
}

function timeOf({ plan, steps }: TrainingSession): string {
  const seconds = Number(plan.milliseconds_per_batch) / 1000;
  return `planned ${seconds.toPrecision(3)} s a step, ${(seconds * steps).toPrecision(3)} s for ${steps} steps`;
}

async function sendKeys(context: Context, id: string, options: KeyOptions): Promise<void> {
  const calls = connect(options).training;
  const backend = await context.openBackend();
  try {
    using secret = await openKeyFile(context, backend, options.key, options);
    await calls.putKeys(id, await trainingKeyFile(backend, secret));
    print(context, await calls.putKeys(id, publicKeyFile(backend, secret)), options);
  } finally {
    backend.close();
  }
}

async function addOwner(context: Context, id: string, name: string, options: OwnerOptions): Promise<void> {
  const { kind, columns, bias, days, firstBatch: first = 0, batches: count } = options;
  const batches = count === undefined ? undefined : { first, count };
  const added = await connect(options).training.addOwner(id, { name, kind, columns, bias, batches, days });
  if (options.json) return context.out(JSON.stringify(added, null, 2) + "\n");
  context.err(`data owner ${added.id}, batches ${added.first_batch} to ${added.first_batch + added.batch_count - 1}; `);
  context.err("its token is shown this once:\n");
  context.out(added.token + "\n");
}

function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new SottoError("malformed_file", `${path} is no JSON: make a specification with \`sotto train spec\``);
  }
}

function print(context: Context, session: TrainingSession, { json }: ServerOptions): void {
  if (json) return context.out(JSON.stringify(session, null, 2) + "\n");
  context.out(`${session.id} ${session.name}: ${session.state}, step ${session.step} of ${session.steps}\n`);
  for (const owner of session.owners) {
    context.out(`  ${owner.name} (${owner.kind}): ${owner.uploaded_batches} of ${owner.batch_count} batches\n`);
  }
}
