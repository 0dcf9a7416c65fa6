import { createMiddleware } from "hono/factory";
import { type Database, type Scope, verifyToken } from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import type { Env } from "./services.ts";

const BEARER = /^Bearer +([\x21-\x7e]{1,200})$/i;

/** Sets `caller` from the bearer token. Throws `token_missing`, `token_invalid` or `token_expired`. */
export function authenticate(database: Database) {
  return createMiddleware<Env>(async (c, next) => {
    const header = c.req.header("authorization");
    if (header === undefined) {
      throw new SottoError("token_missing", "send your token in the header `authorization: Bearer TOKEN`");
    }
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) {
      throw new SottoError("token_invalid", "the header `authorization` must read `Bearer TOKEN`");
    }
    c.set("caller", await verifyToken(database, token));
    await next();
  });
}

/** Lets only tokens of the scope pass; `admin` includes `predict`. Throws `scope_missing`. */
export function requireScope(scope: Scope) {
  return createMiddleware<Env>(async (c, next) => {
    const { scopes } = c.get("caller");
    if (!scopes.includes(scope) && !scopes.includes("admin")) {
      throw new SottoError("scope_missing", `this needs a token with the scope ${scope}: ask for one`);
    }
    await next();
  });
}
