import type { OpenAPIHono } from "@hono/zod-openapi";
import { decodeFile } from "../../circuits/wire.ts";
import type { EvaluationKeys } from "../../circuits/backend.ts";
import { type EvaluationKeysRow, findEvaluationKeys, findModel, type ModelRow } from "../../db/mod.ts";
import { isSottoError, SottoError } from "../../errors.ts";
import { bodyStream } from "../body.ts";
import { cancelled } from "../gate.ts";
import type { Lease } from "../handle_cache.ts";
import { unknownKeys } from "../keys/mod.ts";
import { unknownModel } from "../models/mod.ts";
import { leaseModel } from "../models/lease_model.ts";
import type { Env, Services } from "../services.ts";
import { makePredictions } from "./contract.ts";
import { type Answers, predict } from "./predict.ts";

/** One request, as far as it is known before its body is read. */
interface PredictionRequest {
  readonly model: ModelRow;
  readonly keysRow?: EvaluationKeysRow;
  readonly body: ReadableStream<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Adds the route of predictions. */
export function addPredictionRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { maxPredictionBytes: maxBytes, uploadIdleSeconds: idleSeconds } = services.config;
  const limits = { maxBytes, idleSeconds };
  app.openapi(makePredictions, async (c) => {
    const { tenantId } = c.get("caller");
    const model = await findModel(services.database, tenantId, c.req.valid("param").id);
    if (model === undefined) throw unknownModel();
    const keysRow = await findKeys(services, model, c.req.valid("query").key);
    const body = bodyStream(c, limits);
    const request = { model, keysRow, body, signal: c.req.raw.signal };
    const { spool, serverMs } = await services.predictions.admit(() => answer(services, request));
    return c.body(await spool.readable(), 200, {
      "content-type": "application/octet-stream",
      "content-length": String(spool.bytes),
      "sotto-server-ms": serverMs.toFixed(3),
    });
  });
}

async function findKeys(services: Services, model: ModelRow, key: string | undefined) {
  if (model.description.mode === "linear") return undefined;
  if (key === undefined) {
    throw new SottoError("malformed_request", "key: name registered evaluation keys with ?key=ID, trees need them");
  }
  const row = await findEvaluationKeys(services.database, model.tenantId, key);
  if (row === undefined) throw unknownKeys();
  if (row.expiresAt <= new Date()) {
    throw new SottoError("key_expired", `the keys expired at ${row.expiresAt.toISOString()}: register them again`);
  }
  if (row.parameterSet === services.backend.parameterSet) return row;
  const sets = `${row.parameterSet}, this server computes with ${services.backend.parameterSet}`;
  throw new SottoError("wrong_parameter_set", `the keys were made with ${sets}: make and register new keys`);
}

async function answer(services: Services, request: PredictionRequest): Promise<Answers> {
  const { model: row, keysRow, body, signal } = request;
  try {
    using model = await leaseModel(services, row);
    using keys = keysRow === undefined ? undefined : await leaseKeys(services, keysRow);
    return await predict(services, { modelId: row.id, model: model.value, keysRow, keys: keys?.value }, body, signal);
  } catch (error) {
    if (signal.aborted) throw cancelled(error);
    await requireStillThere(services, request, error);
    throw error;
  }
}

/** A file that is missing because its row was deleted after the request began is no fault of the store. */
async function requireStillThere({ database }: Services, { model, keysRow }: PredictionRequest, error: unknown) {
  if (!isSottoError(error) || error.code !== "store_corrupt") return;
  if (await findModel(database, model.tenantId, model.id) === undefined) throw unknownModel();
  if (keysRow === undefined) return;
  if (await findEvaluationKeys(database, keysRow.tenantId, keysRow.digest) === undefined) throw unknownKeys();
}

/** The keys' digest was checked at their registration and is checked again by the store. */
function leaseKeys(services: Services, row: EvaluationKeysRow): Promise<Lease<EvaluationKeys>> {
  return services.preparedKeys.lease(row.objectDigest, async () => {
    const file = await services.store.get(row.objectDigest);
    return services.backend.loadEvaluationKeys(decodeFile(file, { kind: "evaluation_keys" }).payload);
  });
}
