import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Description } from "../../circuits/description.ts";
import { deleteModel, findModel, listModels, type ModelRow, type ModelSummary } from "../../db/mod.ts";
import { compiledId, importFile, unknownModel } from "../../jobs/mod.ts";
import { releaseObject } from "../../store/mod.ts";
import { shownJob } from "../jobs/show.ts";
import { wantsJob } from "../prefer.ts";
import { roomOf } from "../body.ts";
import type { Env, Services } from "../services.ts";
import {
  createModel,
  modelParts,
  type modelSchema,
  removeModel,
  showModel,
  showModels,
  type summarySchema,
} from "./contract.ts";
import { readImportRequest } from "./import_request.ts";

/** Adds the routes of models. */
export function addModelRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { config, database, imports, jobs } = services;
  const limits = { maxBytes: config.maxModelBytes, idleSeconds: config.uploadIdleSeconds };
  app.openAPIRegistry.registerComponent("schemas", "ModelParts", modelParts);
  app.openapi(createModel, (c) =>
    imports.admit(c.get("caller").tenantId, async () => {
      const { priority, ...query } = c.req.valid("query");
      const { tenantId } = c.get("caller");
      const request = await readImportRequest(c, query, { ...limits, room: await roomOf(services, tenantId) });
      if (wantsJob(c.req.header("prefer"))) {
        const { id } = await jobs.addImport(tenantId, request, { priority, idempotencyKey: c.get("idempotencyKey") });
        const headers = { location: `/v1/jobs/${id}`, "preference-applied": "respond-async" };
        return c.json(shownJob(await jobs.find(tenantId, id)), 202, headers);
      }
      const { row, created } = await imports.turn(tenantId, () => importFile(services, tenantId, request));
      c.set("subject", row.id);
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

async function remove(services: Services, tenantId: string, id: string): Promise<void> {
  const row = await findModel(services.database, tenantId, id);
  if (row === undefined) throw unknownModel();
  await deleteModel(services.database, tenantId, id);
  services.compiledModels.drop(compiledId(row));
  await releaseObject(services, row.objectDigest);
  await releaseObject(services, row.options.calibration);
}

function summary({ id, name, createdAt, source }: ModelSummary): z.infer<typeof summarySchema> {
  return { id, name, created_at: createdAt.toISOString(), source };
}

/** What the import checked and stored is a description. */
function shown(row: ModelRow): z.infer<typeof modelSchema> {
  return { ...summary(row), description: row.description as Description };
}
