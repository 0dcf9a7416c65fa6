import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { type Caller, type Database, type Scope, TokenLookup, verifyToken } from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import type { Limits } from "./limits/mod.ts";
import type { Env } from "./services.ts";

const BEARER = /^Bearer +([\x21-\x7e]{1,200})$/i;

/** What authentication works with. */
export interface Authentication {
  readonly database: Database;
  readonly limits: Limits;
  /** Header in which a proxy names the client's address last. */
  readonly addressHeader?: string;
}

/** Sets `caller` from the bearer token. Throws `token_missing`, `token_invalid`, `token_expired`, `tenant_disabled` or `rate_limited`. */
export function authenticate({ database, limits, addressHeader }: Authentication) {
  const lookup = new TokenLookup(database);
  return createMiddleware<Env>(async (c, next) => {
    const header = c.req.header("authorization");
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1];
    const verify = async (): Promise<Caller> => {
      if (token === undefined) throw noToken(header);
      return await verifyToken(database, token, new Date(), lookup);
    };
    const address = addressOf(c, addressHeader);
    // Without a network there is no address: requests of the same process.
    const caller = address === undefined ? await verify() : await limits.refusedTokens.guard(address, token, verify);
    c.set("caller", caller);
    await next();
  });
}

/** Lets only tokens of the scope pass; `admin` includes the others. Throws `scope_missing`. */
export function requireScope(scope: Scope) {
  return createMiddleware<Env>(async (c, next) => {
    const { scopes } = c.get("caller");
    if (!scopes.includes(scope) && !scopes.includes("admin")) {
      throw new SottoError("scope_missing", `this needs a token with the scope ${scope}: ask for one`);
    }
    await next();
  });
}

function noToken(header: string | undefined): SottoError {
  return header === undefined
    ? new SottoError("token_missing", "send your token in the header `authorization: Bearer TOKEN`")
    : new SottoError("token_invalid", "the header `authorization` must read `Bearer TOKEN`");
}

function addressOf(c: Context<Env>, header: string | undefined): string | undefined {
  const named = header === undefined ? undefined : c.req.header(header)?.split(",").at(-1)?.trim();
  return named || c.env?.remoteAddress;
}
