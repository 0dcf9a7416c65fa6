import { SottoError } from "../errors.ts";
import type { Database } from "./database.ts";
import type { Tenant } from "./tenants.ts";
import { TokenLookup } from "./token_lookup.ts";
import { idOf, matches } from "./token_secret.ts";
import { type TokenInfo, tokenInfo, touchToken } from "./tokens.ts";

/** Who calls: a token that is good, and its tenant. */
export interface Caller extends TokenInfo {
  readonly tenant: Tenant;
}

/**
 * The token's record and its tenant when it is good now: asked of the database every time, so that the end of a token holds at once on every server.
 * Callers that share a
 * `lookup` share its queries. Throws `token_invalid`, `token_expired` or `tenant_disabled`.
 */
export async function verifyToken(
  database: Database,
  token: string,
  now = new Date(),
  lookup = new TokenLookup(database),
): Promise<Caller> {
  const id = idOf(token);
  if (id === undefined) throw invalidToken();
  const found = await lookup.find(id);
  if (!matches(token, found?.row.hash) || found === undefined) throw invalidToken();
  const caller = { ...tokenInfo(found.row), tenant: found.tenant };
  requireGood(caller, now);
  if (lookup.isUseNews(caller, now)) await touchToken(database, caller, now);
  return caller;
}

function requireGood({ id, revokedAt, expiresAt, replacedBy, tenant }: Caller, now: Date): void {
  if (revokedAt !== null) throw new SottoError("token_invalid", `the token ${id} was revoked: ask for a new one`);
  if (expiresAt <= now) {
    const advice = replacedBy === null ? "ask for a new one" : `use ${replacedBy}, which replaces it`;
    throw new SottoError("token_expired", `the token ${id} expired at ${expiresAt.toISOString()}: ${advice}`);
  }
  if (tenant.disabledAt !== null) {
    throw new SottoError("tenant_disabled", "your tenant is disabled: ask the operator of the server");
  }
}

function invalidToken(): SottoError {
  return new SottoError("token_invalid", "the bearer token is not known here: check it, or ask for a new one");
}
