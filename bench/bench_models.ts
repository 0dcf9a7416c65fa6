/** The frozen models and rows that the suites measure. */
import { SottoError } from "../errors.ts";
import { readRows } from "../client/mod.ts";
import { importModel, type Model, type ModelFormat } from "../models/mod.ts";

/** A model and where its files are; `peer` names the same kind of model in `bench/peers/concrete_ml`. */
export interface BenchModel {
  /** As in the names of results: "xgb50x3-wdbc". */
  readonly name: string;
  readonly format: ModelFormat;
  readonly file: URL;
  readonly rows: URL;
  readonly peer?: "dt5" | "rf50x4" | "xgb50x3" | "logistic";
}

/** Model and rows in memory. */
export interface LoadedModel {
  readonly model: Model;
  readonly rows: readonly Float64Array[];
}

const FIXTURES = new URL("../tests/fixtures/", import.meta.url);
const MODELS = new URL("models/", import.meta.url);
const wdbcRows = new URL("wdbc_rows.csv", FIXTURES);

/** Tree models by their names. */
export const TREE_MODELS: readonly BenchModel[] = [
  { name: "dt5-wdbc", format: "onnx", file: new URL("wdbc_dt5.onnx", MODELS), rows: wdbcRows, peer: "dt5" },
  { name: "rf50x4-wdbc", format: "onnx", file: new URL("wdbc_rf50x4.onnx", MODELS), rows: wdbcRows, peer: "rf50x4" },
  {
    name: "xgb50x3-wdbc",
    format: "xgboost",
    file: new URL("wdbc_xgb50x3.json", FIXTURES),
    rows: wdbcRows,
    peer: "xgb50x3",
  },
  {
    name: "xgb200x6-adult",
    format: "xgboost",
    file: new URL("adult_xgb200x6.json.gz", MODELS),
    rows: new URL("adult_rows.csv", MODELS),
  },
];

/** The model of the server time that one more core, keys and bytes are measured with. */
export const STANDARD_MODEL = "xgb50x3-wdbc";

export const LINEAR_MODELS: readonly BenchModel[] = [
  {
    name: "logistic-wdbc",
    format: "onnx",
    file: new URL("wdbc_logistic.onnx", FIXTURES),
    rows: wdbcRows,
    peer: "logistic",
  },
];

/**
 * Imports a model and takes its first rows.
 * @throws SottoError `file_unreadable`, and what importing and reading rows throw
 */
export async function loadModel(entry: BenchModel, rowCount: number): Promise<LoadedModel> {
  const model = importModel(entry.format, await readFile(entry.file), { bins: { kind: "model" } });
  const rows = readRows(await readFile(entry.rows), model.features);
  if (rows.length < rowCount) {
    throw new SottoError("rows_refused", `${entry.rows.pathname} has ${rows.length} rows, ${rowCount} are measured`);
  }
  return { model, rows: rows.slice(0, rowCount) };
}

async function readFile(url: URL): Promise<Uint8Array> {
  const bytes = await Deno.readFile(url).catch((cause) => {
    throw new SottoError("file_unreadable", `${url.pathname} cannot be read: restore it from the repository`, {
      cause,
    });
  });
  if (!url.pathname.endsWith(".gz")) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
