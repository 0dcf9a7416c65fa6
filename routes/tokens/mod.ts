import type { OpenAPIHono, z } from "@hono/zod-openapi";
import { createToken, listTokens, revokeToken, type TokenInfo } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import type { Env, Services } from "../services.ts";
import { endToken, makeToken, showTokens, type tokenSchema } from "./contract.ts";

/** Adds the routes of API tokens; they reach the caller's own tenant only. */
export function addTokenRoutes(app: OpenAPIHono<Env>, { database }: Services): void {
  app.openapi(makeToken, async (c) => {
    const made = await createToken(database, { tenant: c.get("caller").tenantId, ...c.req.valid("json") });
    return c.json({ ...shown(made), token: made.token }, 201);
  });
  app.openapi(showTokens, async (c) => {
    const tokens = await listTokens(database, c.get("caller").tenantId);
    return c.json({ tokens: tokens.map(shown) }, 200);
  });
  app.openapi(endToken, async (c) => {
    const { id } = c.req.valid("param");
    if (await revokeToken(database, id, c.get("caller").tenantId)) return c.body(null, 204);
    throw new SottoError("token_unknown", `your tenant has no token ${id}: list its tokens with GET /v1/tokens`);
  });
}

function shown(token: TokenInfo): z.infer<typeof tokenSchema> {
  return {
    id: token.id,
    scopes: [...token.scopes],
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    revoked_at: token.revokedAt?.toISOString() ?? null,
  };
}
