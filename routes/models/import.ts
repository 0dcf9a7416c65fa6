import { type Description, descriptionSchema } from "../../circuits/description.ts";
import { selfCheck } from "../../circuits/self_check.ts";
import { findModel, insertModel, type ModelRow } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { importModel } from "../../models/mod.ts";
import type { Services } from "../services.ts";
import { type ImportRequest, modelIdOf } from "./import_request.ts";
import { planModel } from "./plan_model.ts";

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
  const model = importModel(request.options.format, request.file, request.options);
  const description = await describe(services, model);
  return await keep(services, request, { tenantId, id, source: model.source, description });
}

async function describe({ backend }: Services, model: ReturnType<typeof importModel>): Promise<Description> {
  const planned = planModel(model, await backend.unitCosts(), backend.parameterSet);
  selfCheck(model, planned.description, planned.spec);
  const description = descriptionSchema.parse(planned.description);
  requireStorable(description);
  return description;
}

async function keep(
  { database, store, config }: Services,
  { name, file, options }: ImportRequest,
  made: Pick<ModelRow, "tenantId" | "id" | "source" | "description">,
): Promise<{ row: ModelRow; created: boolean }> {
  const staged = await store.stage(file, { maxBytes: config.maxModelBytes });
  try {
    return await store.exclusive(staged.digest, async () => {
      await staged.commit();
      return insertModel(database, { ...made, name, options, objectDigest: staged.digest, createdAt: new Date() });
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
