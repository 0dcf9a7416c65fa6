import type { OpenAPIHono } from "@hono/zod-openapi";
import { SottoError } from "../../errors.ts";
import { bodyStream, roomOf } from "../body.ts";
import type { Env, Services } from "../services.ts";
import { addDataOwner, removeDataOwner } from "./contract.ts";
import { sendBatch, sendOrder, showOrder, showPublic } from "./contract_owners.ts";
import { dataOwner, ownSession } from "./find_session.ts";
import { confirmOrder, publishOrder, readOrder } from "./order.ts";
import { addOwner, removeOwner } from "./owners.ts";
import { partLimit, putBatch } from "./put_batch.ts";
import { shownOwner, shownPublic } from "./show.ts";

/** Adds the routes of data owners: who they are, the order of their rows, and their parts of batches. */
export function addOwnerRoutes(app: OpenAPIHono<Env>, services: Services): void {
  const { uploadIdleSeconds: idleSeconds } = services.config;
  app.openapi(addDataOwner, async (c) => {
    const session = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const { owner, token } = await addOwner(services, session, c.req.valid("json"));
    const shownToken = { token: token.token, token_id: token.id, token_expires_at: token.expiresAt.toISOString() };
    c.set("subject", owner.id);
    return c.json({ ...shownOwner(session, owner, 0), ...shownToken }, 201);
  });
  app.openapi(removeDataOwner, async (c) => {
    const { id, owner } = c.req.valid("param");
    await removeOwner(services, await ownSession(services, c.get("caller"), id), owner);
    return c.body(null, 204);
  });
  app.openapi(showPublic, async (c) => {
    const { session, owner } = await dataOwner(services, c.get("caller"), c.req.valid("param").id);
    return c.json(await shownPublic(services, session, owner), 200);
  });
  app.openapi(showOrder, async (c) => {
    const { id } = c.req.valid("param");
    const caller = c.get("caller");
    const session = caller.trainingOwnerId === null
      ? await ownSession(services, caller, id)
      : (await dataOwner(services, caller, id)).session;
    return c.json({ digest: session.orderDigest ?? "", ids: await readOrder(services, session) }, 200);
  });
  app.openapi(sendOrder, async (c) => {
    const { id } = c.req.valid("param");
    const [caller, request] = [c.get("caller"), c.req.valid("json")];
    if ("ids" in request) await publishOrder(services, await ownSession(services, caller, id), request.ids);
    else await confirmOrder(services, await dataOwner(services, caller, id), request.digest);
    return c.body(null, 204);
  });
  app.openapi(sendBatch, async (c) => {
    const { id, batch } = c.req.valid("param");
    const found = await dataOwner(services, c.get("caller"), id);
    if (found.session.publicKeyObject === null) {
      throw new SottoError("key_missing", "the session has no public key yet: its owner sends it with PUT .../keys");
    }
    const room = await roomOf(services, found.session.tenantId);
    const body = bodyStream(c, { maxBytes: partLimit(found), idleSeconds, room });
    const row = await putBatch(services, { ...found, batch }, body);
    return c.json({ batch, digest: row.digest, bytes: row.bytes }, 200);
  });
}
