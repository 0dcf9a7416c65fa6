import type { OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "@hono/zod-openapi";
import { deleteEvaluationKeys, type EvaluationKeysRow, findEvaluationKeys, listEvaluationKeys } from "../../db/mod.ts";
import { unknownKeys } from "../../jobs/mod.ts";
import { releaseObject } from "../../store/mod.ts";
import { bodyStream, roomOf } from "../body.ts";
import type { Env, Services } from "../services.ts";
import { deleteKeys, type keysSchema, listKeys, registerKeys, showKeys } from "./contract.ts";
import { register } from "./register.ts";

/** Adds the routes of registered key files. */
export function addKeyRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { config, database } = services;
  const limits = { maxBytes: config.maxKeyBytes, idleSeconds: config.uploadIdleSeconds };
  app.openapi(registerKeys, async (c) => {
    const { tenantId } = c.get("caller");
    const body = bodyStream(c, { ...limits, room: await roomOf(services, tenantId) });
    const { row, created } = await register(services, tenantId, body);
    c.set("subject", row.digest);
    return c.json(shown(row), created ? 201 : 200);
  });
  app.openapi(listKeys, async (c) => {
    const rows = await listEvaluationKeys(database, c.get("caller").tenantId);
    return c.json({ keys: rows.map(shown) }, 200);
  });
  app.openapi(showKeys, async (c) => {
    const row = await findEvaluationKeys(database, c.get("caller").tenantId, c.req.valid("param").id);
    if (row === undefined) throw unknownKeys();
    return c.json(shown(row), 200);
  });
  app.openapi(deleteKeys, async (c) => {
    await remove(services, c.get("caller").tenantId, c.req.valid("param").id);
    return c.body(null, 204);
  });
}

async function remove(services: Services, tenantId: string, digest: string): Promise<void> {
  const row = await findEvaluationKeys(services.database, tenantId, digest);
  if (row === undefined) throw unknownKeys();
  await deleteEvaluationKeys(services.database, tenantId, digest);
  if (await releaseObject(services, row.objectDigest)) services.preparedKeys.drop(row.objectDigest);
}

function shown(row: EvaluationKeysRow): z.infer<typeof keysSchema> {
  return {
    id: row.digest,
    key_id: row.keyId,
    capability: row.capability,
    parameter_set: row.parameterSet,
    bytes: row.bytes,
    created_at: row.createdAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
  };
}
