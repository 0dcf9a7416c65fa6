import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Description } from "../../circuits/description.ts";
import {
  deleteModel,
  findModel,
  isObjectReferenced,
  listModels,
  type ModelRow,
  type ModelSummary,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Env, Services } from "../services.ts";
import { createModel, type modelSchema, removeModel, showModel, showModels, type summarySchema } from "./contract.ts";
import { importFile } from "./import.ts";
import { readImportRequest } from "./import_request.ts";
import { compiledId } from "./lease_model.ts";

/** Adds the routes of models. */
export function addModelRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { config, database, imports } = services;
  const limits = { maxBytes: config.maxModelBytes, idleSeconds: config.uploadIdleSeconds };
  app.openapi(createModel, (c) =>
    imports.admit(async () => {
      const request = await readImportRequest(c, c.req.valid("query"), limits);
      const { row, created } = await imports.turn(() => importFile(services, c.get("caller").tenantId, request));
      return c.json(shown(row), created ? 201 : 200);
    }));
  app.openapi(showModels, async (c) => {
    const rows = await listModels(database, c.get("caller").tenantId);
    return c.json({ models: rows.map(summary) }, 200);
  });
  app.openapi(showModel, async (c) => {
    const row = await findModel(database, c.get("caller").tenantId, c.req.valid("param").id);
    if (row === undefined) throw unknownModel();
    return c.json(shown(row), 200);
  });
  app.openapi(removeModel, async (c) => {
    await remove(services, c.get("caller").tenantId, c.req.valid("param").id);
    return c.body(null, 204);
  });
}

/** The error for a model that the tenant has not, whoever else has it. */
export function unknownModel(): SottoError {
  return new SottoError("model_unknown", "you have no model with this id: list yours with GET /v1/models");
}

async function remove(services: Services, tenantId: string, id: string): Promise<void> {
  const row = await findModel(services.database, tenantId, id);
  if (row === undefined) throw unknownModel();
  await deleteUnused(services, row.objectDigest, async () => {
    await deleteModel(services.database, tenantId, id);
    services.compiledModels.drop(compiledId(row));
  });
  if (row.options.calibration !== undefined) await deleteUnused(services, row.options.calibration);
}

/** Deletes an object that no row names any more, after `before`. */
async function deleteUnused({ database, store }: Services, digest: string, before?: () => Promise<void>) {
  await store.exclusive(digest, async () => {
    await before?.();
    if (!await isObjectReferenced(database, digest)) await store.delete(digest);
  });
}

function summary({ id, name, createdAt, source }: ModelSummary): z.infer<typeof summarySchema> {
  return { id, name, created_at: createdAt.toISOString(), source };
}

/** What the import checked and stored is a description. */
function shown(row: ModelRow): z.infer<typeof modelSchema> {
  return { ...summary(row), description: row.description as Description };
}
