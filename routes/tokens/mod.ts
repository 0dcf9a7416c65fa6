import type { OpenAPIHono, z } from "@hono/zod-openapi";
import { createToken, findToken, listTokens, revokeToken, rotateToken, type TokenInfo } from "../../db/mod.ts";
import type { Env, Services } from "../services.ts";
import {
  endToken,
  makeToken,
  rotateToken as rotate,
  rotationSchema,
  showToken,
  showTokens,
  type tokenSchema,
} from "./contract.ts";

/** Adds the routes of API tokens; they reach the caller's own tenant only. */
export function addTokenRoutes(app: OpenAPIHono<Env>, { database }: Services): void {
  app.openapi(makeToken, async (c) => {
    const { requests_per_minute: requestsPerMinute, ...request } = c.req.valid("json");
    const made = await createToken(database, { tenant: c.get("caller").tenantId, requestsPerMinute, ...request });
    c.set("subject", made.id);
    return c.json({ ...shown(made), token: made.token }, 201);
  });
  app.openapi(showTokens, async (c) => {
    const tokens = await listTokens(database, c.get("caller").tenantId);
    return c.json({ tokens: tokens.map(shown) }, 200);
  });
  app.openapi(showToken, async (c) => {
    return c.json(shown(await findToken(database, c.req.valid("param").id, c.get("caller").tenantId)), 200);
  });
  app.openapi(rotate, async (c) => {
    const { days, grace_seconds: graceSeconds } = rotationSchema.parse(c.req.valid("json") ?? {});
    const tenant = c.get("caller").tenantId;
    const { made, old } = await rotateToken(database, c.req.valid("param").id, { days, graceSeconds, tenant });
    c.set("subject", made.id);
    return c.json({ ...shown(made), token: made.token, old: shown(old) }, 201);
  });
  app.openapi(endToken, async (c) => {
    await revokeToken(database, c.req.valid("param").id, c.get("caller").tenantId);
    return c.body(null, 204);
  });
}

function shown(token: TokenInfo): z.infer<typeof tokenSchema> {
  return {
    id: token.id,
    name: token.name,
    scopes: [...token.scopes],
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    revoked_at: token.revokedAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    replaced_by: token.replacedBy,
    requests_per_minute: token.requestsPerMinute,
  };
}
