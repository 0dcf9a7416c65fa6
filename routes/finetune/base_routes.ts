import type { OpenAPIHono } from "@hono/zod-openapi";
import { type BaseModelRow, countBaseModelSessions, deleteBaseModel, listBaseModels } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { releaseObject } from "../../store/mod.ts";
import type { Env, Services } from "../services.ts";
import { requireUnchanged, withBaseModel } from "./base_files.ts";
import {
  createBaseModel,
  fetchPublicParts,
  fetchTokenizer,
  removeBaseModel,
  showBaseModel,
  showBaseModels,
} from "./contract.ts";
import { ownBaseModel, requireTenant } from "./find_session.ts";
import { registerBaseModel } from "./register.ts";
import { shownBaseModel, shownBaseSummary } from "./show.ts";

/** Adds the routes of base models. */
export function addBaseModelRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { database, imports, store } = services;
  app.openapi(createBaseModel, (c) =>
    imports.admit(c.get("caller").tenantId, async () => {
      const tenantId = requireTenant(c.get("caller"));
      const request = c.req.valid("json");
      const { row, created } = await imports.turn(tenantId, () => registerBaseModel(services, tenantId, request));
      c.set("subject", row.id);
      return c.json(shownBaseModel(row), created ? 201 : 200);
    }));
  app.openapi(showBaseModels, async (c) => {
    const rows = await listBaseModels(database, requireTenant(c.get("caller")));
    return c.json({ base_models: rows.map(shownBaseSummary) }, 200);
  });
  app.openapi(showBaseModel, async (c) => {
    const row = await ownBaseModel(services, c.get("caller"), c.req.valid("param").id);
    return c.json(shownBaseModel(row), 200);
  });
  app.openapi(removeBaseModel, async (c) => {
    await remove(services, await ownBaseModel(services, c.get("caller"), c.req.valid("param").id));
    return c.body(null, 204);
  });
  app.openapi(fetchPublicParts, async (c) => {
    const row = await ownBaseModel(services, c.get("caller"), c.req.valid("param").id);
    return c.body(await store.openReadable(row.publicObject) as ReadableStream<Uint8Array<ArrayBuffer>>, 200, {
      "content-type": "application/octet-stream",
      "content-length": String(row.publicBytes),
    });
  });
  app.openapi(fetchTokenizer, async (c) => {
    const row = await ownBaseModel(services, c.get("caller"), c.req.valid("param").id);
    return c.json(await readTokenizer(services, row), 200);
  });
}

async function readTokenizer({ config }: Services, row: BaseModelRow) {
  return await withBaseModel(config, row.path, async (model, file) => {
    await requireUnchanged(file, row.files);
    const { description, special } = await model.tokenizer();
    return { description: { ...description }, special: { ...special } };
  });
}

async function remove(services: Services, row: BaseModelRow): Promise<void> {
  const sessions = await countBaseModelSessions(services.database, row.tenantId, row.id);
  if (sessions > 0) {
    throw new SottoError("conflict", `${sessions} fine-tuning sessions work with this base model: end them first`);
  }
  await deleteBaseModel(services.database, row.tenantId, row.id);
  await releaseObject(services, row.publicObject);
}
