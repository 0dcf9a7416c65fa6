import { type Description, descriptionSchema } from "../../circuits/description.ts";
import { selfCheckNetwork } from "../../circuits/network/mod.ts";
import { selfCheckScore } from "../../circuits/score_self_check.ts";
import { selfCheck } from "../../circuits/self_check.ts";
import { findModel, insertModel, type ModelRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { CALIBRATION_BYTES_MAX } from "../../models/calibration.ts";
import type { Services } from "../services.ts";
import { type ImportRequest, modelIdOf } from "./import_request.ts";
import { planModel, type PlannedModel } from "./plan_model.ts";
import { type ReadModel, readModel } from "./read_model.ts";

/** Calibration rows that the accuracy report of a network looks at. */
const REPORT_ROWS = 500;

/**
 * Imports a model: read, planned, checked against itself, its file stored, then named by a row, in this order, so that a crash
 * never leaves a row without its object. The same file with the same options again is the same model.
 */
export async function importFile(
  services: Services,
  tenantId: string,
  request: ImportRequest,
): Promise<{ row: ModelRow; created: boolean }> {
  const id = modelIdOf(request);
  const known = await findModel(services.database, tenantId, id);
  if (known !== undefined) return { row: known, created: false };
  const read = readModel(request.file, request.options, request.calibration);
  const description = await describe(services, read, request.options.mode);
  return await keep(services, request, { tenantId, id, source: read.model.source, description });
}

async function describe(
  { backend, config }: Services,
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
  services: Services,
  { name, file, options, calibrationFile }: ImportRequest,
  made: Pick<ModelRow, "tenantId" | "id" | "source" | "description">,
): Promise<{ row: ModelRow; created: boolean }> {
  const { database } = services;
  const keepFile = () =>
    withObject(services, file, (objectDigest) => {
      return insertModel(database, { ...made, name, options, objectDigest, createdAt: new Date() });
    });
  return await (calibrationFile === undefined ? keepFile() : withObject(services, calibrationFile, keepFile));
}

/** Makes an object visible and runs `name`, which adds the row that names it, before anyone may delete it. */
async function withObject<T>(
  { store, config }: Services,
  bytes: Uint8Array,
  name: (digest: string) => Promise<T>,
): Promise<T> {
  const staged = await store.stage(bytes, { maxBytes: Math.max(config.maxModelBytes, CALIBRATION_BYTES_MAX) });
  try {
    return await store.exclusive(staged.digest, async () => {
      await staged.commit();
      return await name(staged.digest);
    });
  } finally {
    await staged.discard();
  }
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
