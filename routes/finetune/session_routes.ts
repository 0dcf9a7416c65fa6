import type { OpenAPIHono } from "@hono/zod-openapi";
import { randomBytes } from "node:crypto";
import { COARSEST_SET } from "../../circuits/finetune/mod.ts";
import {
  type BaseModelRow,
  countFineTuningSessions,
  deleteFineTuningSession,
  type FineTuningMasks,
  type FineTuningSessionRow,
  insertFineTuningSession,
  listFineTuningSessions,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { TokenParameterSet } from "../../params/mod.ts";
import type { Env, Services } from "../services.ts";
import { createSession, removeSession, showSession, showSessions } from "./contract.ts";
import { openSession, ownBaseModel, ownSession, requireTenant, unknownSession } from "./find_session.ts";
import { SEED_BYTES } from "../../circuits/layout.ts";
import { TOKEN_SETS } from "./schemas.ts";
import { shownSession } from "./show.ts";

/** Adds the routes of the life of a session. */
export function addSessionRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { database } = services;
  app.openapi(createSession, async (c) => {
    const request = c.req.valid("json");
    const model = await ownBaseModel(services, c.get("caller"), request.base_model);
    const set = setOf(model, request.parameter_set);
    const tokensMax = request.tokens_max ?? set.ringDegree;
    requireTokens(set, tokensMax);
    const session = await makeSession(services, model, { set, masks: request.masks, tokensMax });
    const location = `/v1/fine-tuning-sessions/${session.id}`;
    return c.json(shownSession({ session, model, set }), 201, { location });
  });
  app.openapi(showSessions, async (c) => {
    const rows = await listFineTuningSessions(database, requireTenant(c.get("caller")));
    const open = await Promise.all(rows.map((row) => openSession(services, row)));
    return c.json({ sessions: open.map(shownSession) }, 200);
  });
  app.openapi(showSession, async (c) => {
    return c.json(shownSession(await ownSession(services, c.get("caller"), c.req.valid("param").id)), 200);
  });
  app.openapi(removeSession, async (c) => {
    const tenantId = requireTenant(c.get("caller"));
    if (!await deleteFineTuningSession(database, tenantId, c.req.valid("param").id)) throw unknownSession();
    return c.body(null, 204);
  });
}

/** Throws `malformed_request` for a set whose noise weights of 10 bits would drown in. */
function setOf({ weights }: BaseModelRow, name: string | undefined): TokenParameterSet {
  const coarsest = COARSEST_SET[weights];
  const set = TOKEN_SETS.get(name ?? coarsest.name)!;
  if (set.ringDegree >= coarsest.ringDegree) return set;
  throw new SottoError(
    "malformed_request",
    `parameter_set: weights of kind ${weights} need ${coarsest.name}; register the base model with int8 for ${set.name}`,
  );
}

function requireTokens(set: TokenParameterSet, tokens: number): void {
  if (tokens <= set.ringDegree) return;
  throw new SottoError(
    "malformed_request",
    `tokens_max: a block of ${set.name} holds at most ${set.ringDegree} tokens`,
  );
}

async function makeSession(
  { database, config }: Services,
  { id, tenantId }: { id: string; tenantId: string },
  { set, masks, tokensMax }: { set: TokenParameterSet; masks: FineTuningMasks; tokensMax: number },
): Promise<FineTuningSessionRow> {
  const count = await countFineTuningSessions(database, tenantId);
  if (count >= config.fineTuningSessionsPerTenant) {
    throw new SottoError("quota_exceeded", `you have ${count} fine-tuning sessions, as many as you may: end one`);
  }
  const row: FineTuningSessionRow = {
    id: crypto.randomUUID(),
    tenantId,
    baseModelId: id,
    parameterSet: set.name,
    masks,
    maskSeed: masks === "cached" ? randomBytes(SEED_BYTES).toString("hex") : null,
    tokensMax,
    placement: [...config.fineTuningPlacement],
    requests: 0,
    bytesUsed: 0,
    bytesMax: config.fineTuningSessionBytes,
    createdAt: new Date(),
  };
  await insertFineTuningSession(database, row);
  return row;
}
