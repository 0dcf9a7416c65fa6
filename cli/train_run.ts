/** `sotto train run`: starts a run, shows how far it is, and measures the decrypted weights on the owner's own rows. */
import type { Command } from "commander";
import { join } from "node:path";
import type { Backend } from "../circuits/backend.ts";
import type { TrainingData } from "../circuits/training/mod.ts";
import {
  featureRows,
  followTraining,
  hasStalled,
  measureWeights,
  type OpenSecretKey,
  openWeights,
  readTable,
  targetsOf,
  type TrainingCalls,
  type TrainingPoint,
  type TrainingSession,
} from "../client/mod.ts";
import { SottoError } from "../errors.ts";
import type { Context } from "./context.ts";
import { readBytes, refuseExisting, writeNew } from "./files.ts";
import { connect, examples, type ServerOptions, wholeNumber, withServer } from "./options.ts";
import { openKeyFile, type PassphraseOptions } from "./passphrase.ts";
import { startProgress } from "./progress.ts";
import { lineChart } from "./train_plot.ts";

interface RunOptions extends ServerOptions, Pick<PassphraseOptions, "passphraseFile"> {
  readonly steps?: number;
  readonly resume?: boolean;
  readonly key?: string;
  readonly validate?: string;
  readonly label?: string;
  readonly patience?: number;
  readonly plots?: string;
  readonly force?: boolean;
}

/** Adds the command to the group. */
export function addTrainRun(train: Command, context: Context): void {
  withServer(train.command("run <session>"))
    .description(
      "train on the server and wait; with --validate, loss and accuracy of every checkpoint are measured here, " +
        "on decrypted weights. Ctrl-C pauses the training",
    )
    .option("--steps <count>", "steps to take (default: all that are left)", wholeNumber(1, 1_000_000))
    .option("--resume", "go on with a run that was paused, interrupted or has failed")
    .option("--validate <file>", "CSV with known labels; it stays here (needs --key and --label)")
    .option("--label <column>", "column of the labels in the file to validate with")
    .option("--key <file>", "secret key file")
    .option("--passphrase-file <file>", "file that holds the passphrase (or set SOTTO_PASSPHRASE)")
    .option("--patience <count>", "pause after so many checkpoints without a smaller loss", wholeNumber(1, 1_000_000))
    .option("--plots <folder>", "folder for loss.svg and quality.svg, written at the end")
    .option("--force", "replace existing plots")
    .addHelpText(
      "after",
      examples(
        "sotto train run 0b8f... --steps 100",
        "sotto train run 0b8f... --validate held_out.csv --label diagnosis --key sotto-secret.key --plots .",
      ),
    )
    .action((id: string, options: RunOptions) => run(context, id, options));
}

async function run(context: Context, id: string, options: RunOptions): Promise<void> {
  const plots = options.plots === undefined
    ? []
    : ["loss.svg", "quality.svg"].map((name) => join(options.plots!, name));
  await refuseExisting(plots, options.force);
  const calls = connect(options).training;
  const backend = options.validate === undefined ? undefined : await context.openBackend();
  try {
    const session = await calls.get(id);
    const data = await validationRows(session, options);
    using secret = backend === undefined ? undefined : await openKeyFile(context, backend, options.key!, options);
    const watch = backend && secret && data ? new Watch(context, calls, session, { backend, secret, data }) : undefined;
    const ended = await runAndWatch(context, calls, id, options, watch);
    if (watch !== undefined && watch.points.length > 0) await writePlots(plots, watch.points, options.force);
    report(context, ended, watch?.points ?? [], options.json);
  } finally {
    backend?.close();
  }
}

async function validationRows(session: TrainingSession, options: RunOptions): Promise<TrainingData | undefined> {
  if (options.validate === undefined) return undefined;
  if (options.key === undefined || options.label === undefined) {
    throw new SottoError("malformed_request", "--validate needs --key SECRET_KEY_FILE and --label COLUMN");
  }
  const table = readTable(await readBytes(options.validate));
  return { rows: featureRows(table, session.spec), targets: targetsOf(table, session.spec, options.label) };
}

async function runAndWatch(
  context: Context,
  calls: TrainingCalls,
  id: string,
  options: RunOptions,
  watch: Watch | undefined,
): Promise<TrainingSession> {
  const { step: first, stop_at: last } = options.resume ? await calls.resume(id) : await calls.run(id, options.steps);
  let pausing: Promise<unknown> | undefined;
  const pause = () => pausing ??= calls.pause(id).catch(() => undefined);
  using _interrupt = context.onInterrupt(pause);
  using bar = startProgress(context, "training");
  const ended = await followTraining(calls, id, {
    onChange: async (session) => {
      bar.update((session.step - first) / Math.max(1, last - first));
      await watch?.look(session);
      if (watch?.isStuck(options.patience)) pause();
    },
  });
  await pausing;
  return ended;
}

/** Measures every checkpoint that it sees. */
class Watch {
  readonly points: TrainingPoint[] = [];

  constructor(
    private readonly context: Context,
    private readonly calls: TrainingCalls,
    private readonly session: TrainingSession,
    private readonly own: { readonly backend: Backend; readonly secret: OpenSecretKey; readonly data: TrainingData },
  ) {}

  /** Fetches the weights when they are newer than the last ones. */
  async look({ checkpoint_step }: TrainingSession): Promise<void> {
    if (this.points.at(-1)?.step === checkpoint_step) return;
    const { backend, secret, data } = this.own;
    const { spec, id } = this.session;
    const { weights, step } = await openWeights(backend, secret, spec, await this.calls.weights(id));
    const point = measureWeights(spec, weights, step, data);
    this.points.push(point);
    if (!this.context.isTerminal) return;
    this.context.err(
      `\nstep ${step}: loss ${point.loss.toFixed(4)}, ${qualityName(spec.kind)} ${point.quality.toFixed(4)}\n`,
    );
  }

  /** True when the last so many points are not better than the best before them. */
  isStuck(patience: number | undefined): boolean {
    return patience !== undefined && hasStalled(this.points.map(({ loss }) => loss), patience);
  }
}

function qualityName(kind: TrainingSession["spec"]["kind"]): string {
  return kind === "linear" ? "R2" : "accuracy";
}

async function writePlots(paths: readonly string[], points: readonly TrainingPoint[], force?: boolean): Promise<void> {
  for (const [index, path] of paths.entries()) {
    const field = index === 0 ? "loss" : "quality";
    const chart = { title: field, xLabel: "step", points: points.map((point) => ({ x: point.step, y: point[field] })) };
    await writeNew(path, lineChart(chart), { force });
  }
}

function report(
  context: Context,
  session: TrainingSession,
  points: readonly TrainingPoint[],
  json: boolean | undefined,
): void {
  if (json) return context.out(JSON.stringify({ ...session, points }, null, 2) + "\n");
  context.out(`${session.state} after step ${session.step} of ${session.steps}\n`);
  const last = points.at(-1);
  if (last === undefined) return;
  context.out(
    `loss ${last.loss.toFixed(4)}, ${qualityName(session.spec.kind)} ${last.quality.toFixed(4)} at step ${last.step}\n`,
  );
}
