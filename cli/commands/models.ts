/** `sotto models`: import models into the server and look at them. */
import { type Command, Option } from "commander";
import { basename } from "node:path";
import { calibrationEdges, guessFormat, MODEL_FORMATS, type ModelFormat, type ModelImport } from "../../client/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { readBytes, writeNew } from "../files.ts";
import { connect, examples, findModel, type ServerOptions, wholeNumber, withServer } from "../options.ts";
import { modelSummary } from "../model_summary.ts";
import { printRecords } from "../tables.ts";

/** Adds the group to the program. */
export function addModels(program: Command, context: Context): void {
  const models = program.command("models").description("models that the server computes");
  addImport(models, context);
  withServer(models.command("list"))
    .description("list the models of the server")
    .addHelpText("after", examples("sotto models list", "sotto models list --json"))
    .action((options: ServerOptions) => list(context, options));
  withServer(models.command("show <model>"))
    .description("show one model (id or name), or save its description for work without the server")
    .option("--out <file>", "write the model's description to a new file")
    .option("--force", "replace an existing file")
    .addHelpText("after", examples("sotto models show credit", "sotto models show credit --out credit.model.json"))
    .action((model: string, options: ShowOptions) => show(context, model, options));
  withServer(models.command("delete <model>"))
    .description("remove a model (id or name)")
    .addHelpText("after", examples("sotto models delete credit"))
    .action((model: string, options: ServerOptions) => remove(context, model, options));
}

interface ImportOptions extends ServerOptions {
  readonly name?: string;
  readonly format?: ModelFormat;
  readonly bins: "model" | "quantile";
  readonly nBits: number;
  readonly mode?: "leaves" | "score";
  readonly calibration?: string;
}

function addImport(models: Command, context: Context): void {
  withServer(models.command("import <file>"))
    .description("import a trained model: XGBoost JSON, LightGBM text or ONNX")
    .option("--name <name>", "name on the server (default: the file's name)")
    .addOption(
      new Option("--format <format>", "format of the file (default: told by its content)").choices(MODEL_FORMATS),
    )
    .addOption(
      new Option(
        "--bins <bins>",
        "model: clients compare with the model's own thresholds; quantile: with quantiles of your rows, so that thresholds stay secret",
      )
        .choices(["model", "quantile"]).default("model"),
    )
    .addOption(
      new Option("--n-bits <bits>", "2^bits bins a feature, with --bins quantile").argParser(wholeNumber(1, 16))
        .default(6),
    )
    .addOption(
      new Option("--mode <mode>", "tree models: clients get a value a tree, or (score) only the sums, by lookups")
        .choices(["leaves", "score"]),
    )
    .option(
      "--calibration <file>",
      "rows like those to come: with --bins quantile their quantiles are taken here (CSV or JSON); for a network (ONNX) they " +
        "are sent to the server, which measures the ranges of its layers on them (CSV, a header line, some hundred rows)",
    )
    .addHelpText(
      "after",
      examples(
        "sotto models import credit.json --name credit",
        "sotto models import network.onnx --calibration train.csv",
        "sotto models import model.onnx --bins quantile --n-bits 6 --calibration train.csv",
      ),
    )
    .action((file: string, options: ImportOptions) => importFile(context, file, options));
}

async function importFile(context: Context, path: string, options: ImportOptions): Promise<void> {
  const client = connect(options);
  const file = await readBytes(path);
  const format = options.format ?? guessFormat(file);
  const name = options.name ?? basename(path).replace(/\.[^.]+$/, "");
  const bins = await readBins(file, format, options);
  const calibration = bins === undefined ? await readCalibration(options) : undefined;
  const model = await client.importModel({ name, format, file, mode: options.mode, bins, calibration });
  if (model.name !== name) {
    context.err(`note: the server has this model already, under the name "${model.name}"\n`);
  }
  context.out(options.json ? JSON.stringify(model, null, 2) + "\n" : modelSummary(model));
}

async function readBins(file: Uint8Array, format: ModelFormat, options: ImportOptions): Promise<ModelImport["bins"]> {
  if (options.bins === "model") return undefined;
  if (options.calibration === undefined) {
    throw new SottoError("rows_refused", "--bins quantile needs rows: pass --calibration FILE.csv");
  }
  const rows = await readBytes(options.calibration);
  return { bitCount: options.nBits, edges: calibrationEdges(format, file, rows, options.nBits) };
}

async function readCalibration({ calibration }: ImportOptions): Promise<Uint8Array | undefined> {
  return calibration === undefined ? undefined : await readBytes(calibration);
}

interface ShowOptions extends ServerOptions {
  readonly out?: string;
  readonly force?: boolean;
}

async function show(context: Context, idOrName: string, options: ShowOptions): Promise<void> {
  const model = await findModel(connect(options), idOrName);
  const json = JSON.stringify(model, null, 2) + "\n";
  if (options.out !== undefined) {
    await writeNew(options.out, json, { force: options.force });
    context.err(`written to ${options.out}\n`);
  } else context.out(options.json ? json : modelSummary(model));
}

async function list(context: Context, options: ServerOptions): Promise<void> {
  const models = await connect(options).listModels();
  const records = options.json ? models : models.map((model) => ({ ...model, format: model.source.format }));
  printRecords(context, records, ["id", "name", "format" as "name", "created_at"], options.json);
}

async function remove(context: Context, idOrName: string, options: ServerOptions): Promise<void> {
  const client = connect(options);
  const id = /^[0-9a-f]{64}$/.test(idOrName) ? idOrName : (await findModel(client, idOrName)).id;
  await client.deleteModel(id);
  context.out(options.json ? JSON.stringify({ deleted: id }) + "\n" : `deleted ${id}\n`);
}
