import { createHash } from "node:crypto";
import { type Description, descriptionSchema } from "../../circuits/description.ts";
import { selfCheckNetwork } from "../../circuits/network/mod.ts";
import { selfCheckScore } from "../../circuits/score_self_check.ts";
import { selfCheck } from "../../circuits/self_check.ts";
import { findModel, type ImportOptions, insertModel, type ModelRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { storeObject } from "../../store/mod.ts";
import type { Computing } from "./computing.ts";
import { planModel, type PlannedModel } from "./plan_model.ts";
import { type ReadModel, readModel } from "./read_model.ts";

/** A model file as it arrived. */
export interface ImportRequest {
  readonly name: string;
  readonly file: Uint8Array;
  readonly options: ImportOptions;
  /** Rows that the ranges of a network are measured on; one number a feature. */
  readonly calibration?: number[][];
  /** The file of those rows; `options.calibration` is its SHA-256. */
  readonly calibrationFile?: Uint8Array;
}

/** SHA-256 of the import options, in one fixed spelling, and the file. */
export function modelIdOf({ file, options }: ImportRequest): string {
  const bins = options.bins.kind === "model" ? ["model"] : ["quantile", options.bins.edges];
  const calibration = options.calibration === undefined ? [] : ["calibration", options.calibration];
  const mode = options.mode === undefined ? [] : ["mode", options.mode];
  const spelling = JSON.stringify([options.format, ...bins, ...mode, ...calibration]);
  return createHash("sha256").update(`${spelling}\n`).update(file).digest("hex");
}

/** Calibration rows that the accuracy report of a network looks at. */
const REPORT_ROWS = 500;

/**
 * Imports a model: read, planned, checked against itself, its file stored, then named by a row, in this order, so that a crash
 * never leaves a row without its object. The same file with the same options again is the same model.
 */
export async function importFile(
  services: Computing,
  tenantId: string,
  request: ImportRequest,
): Promise<{ row: ModelRow; created: boolean }> {
  const id = modelIdOf(request);
  const known = await findModel(services.database, tenantId, id);
  if (known !== undefined) return { row: known, created: false };
  const start = performance.now();
  const read = readModel(request.file, request.options, request.calibration);
  const description = await describe(services, read, request.options.mode);
  noteImport(services, tenantId, description, performance.now() - start);
  return await keep(services, request, { tenantId, id, source: read.model.source, description });
}

function noteImport({ metrics }: Computing, tenant: string, { mode, plan }: Description, ms: number): void {
  metrics.observeWork({ kind: "import", circuit: mode, tenant }, ms / 1000);
  metrics.modelFailure.observe({ circuit: mode }, plan.failure_log2);
}

async function describe(
  { backend, config }: Computing,
  read: ReadModel,
  mode: ImportRequest["options"]["mode"],
): Promise<Description> {
  const options = { maxMemoryBytes: config.runMemoryBytes, reportRows: REPORT_ROWS, ...(mode ? { mode } : {}) };
  const planned = await planModel(read, backend, options);
  checkItself(read, planned);
  const description = descriptionSchema.parse(planned.description);
  requireStorable(description);
  return description;
}

/** The circuit in clear against direct evaluation. Throws `model_refused`. */
function checkItself({ model, calibration }: ReadModel, planned: PlannedModel): void {
  if (model.kind === "network") return selfCheckNetwork(model, calibration!);
  if (planned.mode === "leaves" || planned.mode === "linear") {
    return selfCheck(model, planned.description, planned.spec);
  }
  if (planned.mode === "score" && model.kind === "forest") selfCheckScore(model, planned);
}

async function keep(
  services: Computing,
  { name, file, options, calibrationFile }: ImportRequest,
  made: Pick<ModelRow, "tenantId" | "id" | "source" | "description">,
): Promise<{ row: ModelRow; created: boolean }> {
  const { database } = services;
  const keepFile = () =>
    storeObject(services, made, file, (objectDigest) => {
      return insertModel(database, { ...made, name, options, objectDigest, createdAt: new Date() });
    });
  return await (calibrationFile === undefined ? keepFile() : storeObject(services, made, calibrationFile, keepFile));
}

/** PostgreSQL's JSON holds neither NUL nor half of a surrogate pair. */
function requireStorable(description: Description): void {
  const names = [...description.features.map(({ name }) => name), ...description.output.labels.map(String)];
  const wrong = names.find((name) => name.includes("\0") || !name.isWellFormed());
  if (wrong === undefined) return;
  throw new SottoError(
    "model_refused",
    `the name ${JSON.stringify(wrong)} holds characters that are no text: rename it`,
  );
}
