/**
 * `deno task demo`: the whole way of one model from a clean checkout. Builds the kernels, starts a server on a free port with a
 * temporary data folder, makes and registers keys, imports a model, encrypts rows, predicts over HTTP, decrypts, and compares
 * every prediction with the clear model.
 */
import { Command, CommanderError, Option } from "commander";
import { fileURLToPath } from "node:url";
import {
  guessFormat,
  newKeys,
  type OpenSecretKey,
  openSecretKey,
  predictionsCsv,
  readRows,
  SottoClient,
  type TargetModel,
} from "../client/mod.ts";
import type { Backend, Capability } from "../circuits/backend.ts";
import { capabilitiesOf } from "../circuits/description.ts";
import type { StartOptions } from "../main.ts";
import { importModel, importOnnxModel, type Model } from "../models/mod.ts";
import type { NetworkModel } from "../models/network/types.ts";
import { type Context, processContext } from "./context.ts";
import { compareWithClear } from "./demo_compare.ts";
import { predictInBatches } from "./demo_batches.ts";
import { startEmbedded } from "./demo_server.ts";
import { DemoReport, type Summary } from "./demo_report.ts";
import { EXIT_FAILED, EXIT_USAGE, reportFailure } from "./failure.ts";
import { readBytes, writeNew } from "./files.ts";
import { reliability } from "./model_summary.ts";
import { examples } from "./options.ts";

const FIXTURES = new URL("../tests/fixtures/", import.meta.url);

/** Calibration rows that the demo takes from the rows themselves. */
const CALIBRATION_ROWS = 500;
/** Share of rows whose label must be the float network's: noise may turn the label of a row that is near a boundary. */
const NETWORK_AGREEMENT = 0.95;

/** What the demo runs on and where it writes. */
export interface DemoOptions {
  readonly model: string;
  readonly rows: string;
  readonly mode: "leaves" | "score";
  readonly calibration?: string;
  readonly out?: string;
  readonly json?: string;
}

/** What tests, and a clean checkout, do differently. */
export interface DemoSetup {
  /** Build the kernels first. */
  readonly build?: boolean;
  readonly start?: StartOptions;
}

/** Runs the demo with command line arguments; returns the exit code: 1 when it fails or a label differs, 2 for wrong usage. */
export async function runDemo(
  args: readonly string[],
  replaced: Partial<Context> = {},
  setup: DemoSetup = {},
): Promise<number> {
  const context = { ...processContext(), ...replaced };
  let code = 0;
  const program = createProgram(context).action(async (options: DemoOptions, command: Command) => {
    requireOwnRows(command);
    code = await demonstrate(context, options, setup) ? 0 : EXIT_FAILED;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportFailure(context, error);
  }
}

function createProgram(context: Context): Command {
  return new Command("demo")
    .description("predict on encrypted rows with a real model, and compare with the model in clear")
    .option("--model <file>", "XGBoost JSON, LightGBM text or ONNX", fixture("wdbc_xgb50x3.json"))
    .option("--rows <file>", "CSV with a header line, one feature a column", fixture("wdbc_rows.csv"))
    .addOption(
      new Option("--mode <mode>", "tree models: the client gets one value a tree, or only their sums")
        .choices(["leaves", "score"]).default("leaves"),
    )
    .option("--calibration <file>", "networks: typical rows, CSV like --rows (default: the first 500 of --rows)")
    .option("--out <file>", "write the predictions as CSV")
    .option("--json <file>", "write the summary as JSON")
    .addHelpText(
      "after",
      examples(
        "deno task demo",
        "deno task demo --model credit.json --rows rows.csv --out predictions.csv",
        "deno task demo --model network.onnx --rows rows.csv --calibration training_rows.csv",
      ),
    )
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: context.err });
}

/** The standard rows are those of the standard model only. */
function requireOwnRows(command: Command): void {
  const isStandard = (name: string) => command.getOptionValueSource(name) === "default";
  if (isStandard("model") === isStandard("rows")) return;
  command.error("error: --model and --rows belong together: pass both or none");
}

function fixture(name: string): string {
  return fileURLToPath(new URL(name, FIXTURES));
}

/** The demo itself; true when every row agrees with the clear model. */
async function demonstrate(context: Context, options: DemoOptions, setup: DemoSetup): Promise<boolean> {
  const report = new DemoReport(context);
  const file = await readBytes(options.model);
  const clear = readClear(file);
  const table = await readBytes(options.rows);
  const rows = readRows(table, clear.features);
  const calibration = clear.kind === "network" ? await calibrationOf(context, options, table) : undefined;
  if (setup.build) await buildFirst(context, report);
  const backend = await report.step(
    "open the kernels",
    () => context.openBackend(),
    (opened) => `${opened.name}, ${opened.threads} threads`,
  );
  try {
    const summary = await predictEncrypted(context, report, backend, {
      options,
      start: setup.start,
      file,
      clear,
      rows,
      calibration,
    });
    if (options.json !== undefined) {
      await writeNew(options.json, JSON.stringify(summary, null, 2) + "\n", { force: true });
    }
    report.finish(summary);
    return summary.agreement >= (clear.kind === "network" ? NETWORK_AGREEMENT : 1);
  } finally {
    backend.close();
  }
}

/** A model file of any kind. */
function readClear(file: Uint8Array): Model | NetworkModel {
  const format = guessFormat(file);
  return format === "onnx" ? importOnnxModel(file) : importModel(format, file, { bins: { kind: "model" } });
}

/** The rows that a network is calibrated with, as CSV text. */
async function calibrationOf(context: Context, options: DemoOptions, table: Uint8Array): Promise<string> {
  if (options.calibration !== undefined) return new TextDecoder().decode(await readBytes(options.calibration));
  context.out(
    `            no --calibration: the network is calibrated with the first ${CALIBRATION_ROWS} of the rows\n`,
  );
  return new TextDecoder().decode(table).split("\n").slice(0, CALIBRATION_ROWS + 1).join("\n");
}

interface Work {
  readonly options: DemoOptions;
  readonly start?: StartOptions;
  readonly file: Uint8Array;
  readonly clear: Model | NetworkModel;
  readonly rows: Float64Array[];
  readonly calibration?: string;
}

async function predictEncrypted(context: Context, report: DemoReport, backend: Backend, work: Work): Promise<Summary> {
  await using server = await report.step(
    "start the server on a free port, with an empty data folder",
    () => startEmbedded(backend, work.start),
    ({ url }) => url,
  );
  const client = new SottoClient(server.url, server.token);
  const model = await importWork(report, client, work);
  const keys = await makeKeys(report, backend, client, capabilitiesOf(model.description));
  using secret = keys.secret;
  const done = await predictInBatches({ context, report, client, backend, secret, model, keysId: keys.id }, work.rows);
  const { output } = model.description;
  if (work.options.out !== undefined) {
    await writeNew(work.options.out, predictionsCsv(output, done.predictions), { force: true });
  }
  const compared = await report.step(
    "compare with the model in clear",
    () => compareWithClear(work.clear, work.rows, done.predictions),
    ({ agreeing, largest }) =>
      `${agreeing} of ${work.rows.length} rows agree, largest difference of a score ${largest.toExponential(1)}`,
  );
  return {
    rows: work.rows.length,
    agreement: compared.agreeing / work.rows.length,
    server_ms_per_row: done.serverMs / work.rows.length,
    upload_bytes_per_row: done.uploadBytes / work.rows.length,
    answer_bytes_per_row: done.answerBytes / work.rows.length,
    key_bytes: keys.bytes,
    keygen_ms: keys.ms,
    cores: backend.threads,
    largest_score_difference: compared.largest,
  };
}

interface DemoKeys {
  readonly secret: OpenSecretKey;
  readonly id: string;
  readonly bytes: number;
  readonly ms: number;
}

async function makeKeys(
  report: DemoReport,
  backend: Backend,
  client: SottoClient,
  capabilities: readonly Capability[],
): Promise<DemoKeys> {
  const start = performance.now();
  const made = await report.step(
    "make a secret key, which stays here, and the keys that the server needs",
    () => newKeys(backend, { capabilities: capabilities.length === 0 ? ["pack"] : capabilities }),
    ({ files }) => [...files].map(([capability, file]) => `${capability} ${file.length} bytes`).join(", "),
  );
  const ms = performance.now() - start;
  const secret = await openSecretKey(backend, made.secretFile);
  made.secretFile.fill(0);
  const bytes = [...made.files.values()].reduce((sum, file) => sum + file.length, 0);
  const [{ id }] = await report.step(
    "register the keys of the server",
    async () => {
      const registered = [];
      for (const file of made.files.values()) registered.push(await client.registerKeys(file));
      return registered;
    },
    ([first]) => `id ${first.id.slice(0, 16)}`,
  );
  return { secret, id, bytes, ms };
}

function importWork(
  report: DemoReport,
  client: SottoClient,
  { file, options, calibration }: Work,
): Promise<TargetModel> {
  const name = options.model.split(/[\\/]/).at(-1) ?? "model";
  return report.step(
    "import the model; the server plans its circuit and checks it",
    () => client.importModel({ name, format: guessFormat(file), file, calibration, ...modeOf(options) }),
    ({ description }) =>
      `${description.mode}, ${description.features.length} features, ${reliability(description).replace(/ +/g, " ")}`,
  );
}

/** The server's own choice unless another was asked for. */
function modeOf({ mode }: DemoOptions): { mode?: "score" } {
  return mode === "score" ? { mode } : {};
}

async function buildFirst(context: Context, report: DemoReport): Promise<void> {
  const { buildKernels } = await import("../tools/build.ts");
  const log = (line: string) => context.out(`            ${line}\n`);
  await report.step("build the kernels", () => buildKernels({ log, target: "sotto" }));
}

if (import.meta.main) Deno.exit(await runDemo(Deno.args, {}, { build: true }));
