import { and, asc, eq, gt, isNull, lt, or } from "drizzle-orm";
import { randomBytes } from "node:crypto";
import { SottoError } from "../errors.ts";
import type { Database } from "./database.ts";
import { tokens } from "./schema.ts";
import { hashOf, makeSecret } from "./token_secret.ts";
import type { Scope } from "./types.ts";

const DAY_MS = 86_400_000;
/** How coarse the last use of a token is. */
export const TOUCH_MS = 60_000;

/** What may be shown of a token: everything but the token. */
export interface TokenInfo {
  readonly id: string;
  readonly tenantId: string;
  /** What it is for; may be empty. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  /** The token that took its place when it was rotated. */
  readonly replacedBy: string | null;
  /** Null: no other limit than its tenant's. */
  readonly requestsPerMinute: number | null;
  /** Of the token of a data owner: reaches nothing but that owner's part of its training session. */
  readonly trainingOwnerId: string | null;
}

/** A new token; `token` is shown once and cannot be read again. */
export interface NewToken extends TokenInfo {
  readonly token: string;
}

/** What a token is made with. */
export interface TokenRequest {
  /** Id of the tenant. */
  readonly tenant: string;
  readonly name?: string;
  readonly scopes: readonly Scope[];
  /** Until it expires. */
  readonly days: number;
  readonly requestsPerMinute?: number | null;
  readonly trainingOwnerId?: string | null;
}

/** Makes a token of 32 random bytes for a tenant; only its SHA-256 is stored. */
export async function createToken(database: Database, request: TokenRequest): Promise<NewToken> {
  const id = randomBytes(8).toString("hex");
  const token = makeSecret(id);
  const createdAt = new Date();
  const [row] = await database.queries.insert(tokens).values({
    id,
    tenantId: request.tenant,
    name: request.name ?? "",
    hash: hashOf(token).toString("hex"),
    scopes: [...new Set(request.scopes)],
    createdAt,
    expiresAt: new Date(createdAt.getTime() + request.days * DAY_MS),
    requestsPerMinute: request.requestsPerMinute ?? null,
    trainingOwnerId: request.trainingOwnerId ?? null,
  }).returning();
  return { ...tokenInfo(row), token };
}

/** Tokens of a tenant, or of all of them, oldest first. */
export async function listTokens(database: Database, tenant?: string): Promise<TokenInfo[]> {
  const rows = await database.queries.select().from(tokens)
    .where(tenant === undefined ? undefined : eq(tokens.tenantId, tenant))
    .orderBy(asc(tokens.createdAt), asc(tokens.id));
  return rows.map(tokenInfo);
}

/** A token of the tenant, or of anybody. Throws `token_unknown`. */
export async function findToken(database: Database, id: string, tenant?: string): Promise<TokenInfo> {
  const [row] = await database.queries.select().from(tokens).where(owned(id, tenant));
  if (row === undefined) throw unknownToken(id);
  return tokenInfo(row);
}

/**
 * Makes a token that takes the place of another: same name, scopes and limits. The old one ends after `graceSeconds`, or when it would have ended
 * anyway. Throws `token_unknown`, or `conflict` when the old one has ended or was rotated before.
 */
export async function rotateToken(
  database: Database,
  id: string,
  { days, graceSeconds, tenant }: { days: number; graceSeconds: number; tenant?: string },
): Promise<{ made: NewToken; old: TokenInfo }> {
  return await database.queries.transaction(async (transaction) => {
    const inside = { ...database, queries: transaction };
    const now = new Date();
    const [row] = await transaction.select().from(tokens).where(owned(id, tenant)).for("update");
    if (row === undefined) throw unknownToken(id);
    if (row.replacedBy !== null || row.revokedAt !== null || row.expiresAt <= now) {
      throw new SottoError("conflict", `the token ${id} was rotated before or has ended: make a new one`);
    }
    const made = await createToken(inside, { ...tokenInfo(row), tenant: row.tenantId, days });
    const end = new Date(Math.min(row.expiresAt.getTime(), now.getTime() + graceSeconds * 1000));
    const change = { replacedBy: made.id, expiresAt: end };
    const [old] = await transaction.update(tokens).set(change).where(eq(tokens.id, id)).returning();
    return { made, old: tokenInfo(old) };
  });
}

/** Revokes a token now. Revoking twice keeps the first time. Throws `token_unknown`. */
export async function revokeToken(database: Database, id: string, tenant?: string): Promise<TokenInfo> {
  const active = and(owned(id, tenant), isNull(tokens.revokedAt));
  await database.queries.update(tokens).set({ revokedAt: new Date() }).where(active);
  return await findToken(database, id, tenant);
}

/** Revokes every token of a data owner now. */
export async function revokeOwnerTokens(database: Database, trainingOwnerId: string): Promise<void> {
  await database.queries.update(tokens).set({ revokedAt: new Date() })
    .where(and(eq(tokens.trainingOwnerId, trainingOwnerId), isNull(tokens.revokedAt)));
}

/** How many tokens of a tenant are good now. */
export function countActiveTokens(database: Database, tenant: string, now = new Date()): Promise<number> {
  const active = and(eq(tokens.tenantId, tenant), isNull(tokens.revokedAt), gt(tokens.expiresAt, now));
  return database.queries.$count(tokens, active);
}

/** Notes that a token was used; one write a minute at most, however many servers. */
export async function touchToken(database: Database, token: Pick<TokenInfo, "id">, now: Date): Promise<void> {
  const before = new Date(now.getTime() - TOUCH_MS);
  const stale = or(isNull(tokens.lastUsedAt), lt(tokens.lastUsedAt, before));
  await database.queries.update(tokens).set({ lastUsedAt: now }).where(and(eq(tokens.id, token.id), stale));
}

/** A row without its hash. */
export function tokenInfo({ hash: _hash, ...shown }: typeof tokens.$inferSelect): TokenInfo {
  return shown;
}

function owned(id: string, tenant: string | undefined) {
  return tenant === undefined ? eq(tokens.id, id) : and(eq(tokens.id, id), eq(tokens.tenantId, tenant));
}

function unknownToken(id: string): SottoError {
  return new SottoError("token_unknown", `there is no token ${id} here: list the tokens`);
}
