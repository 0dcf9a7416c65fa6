import { and, asc, eq, isNull } from "drizzle-orm";
import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { SottoError } from "../errors.ts";
import type { Database } from "./database.ts";
import { tokens } from "./schema.ts";
import type { Scope } from "./types.ts";

const DAY_MS = 86_400_000;
const TOKEN_FORM = /^sotto_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;
/** Compared with when the id is unknown, so that this answer takes as long as a wrong secret. */
const NO_HASH = createHash("sha256").update("no token").digest();

/** What may be shown of a token: everything but the token. */
export interface TokenInfo {
  readonly id: string;
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  /** Of the token of a data owner: reaches nothing but that owner's part of its training session. */
  readonly trainingOwnerId: string | null;
}

/** A new token; `token` is shown once and cannot be read again. */
export interface NewToken extends TokenInfo {
  readonly token: string;
}

/** Makes a token of 32 random bytes for a tenant; only its SHA-256 is stored. `days`: until it expires. */
export async function createToken(
  database: Database,
  request: { tenant: string; scopes: readonly Scope[]; days: number; trainingOwnerId?: string },
): Promise<NewToken> {
  const id = randomBytes(8).toString("hex");
  const token = `sotto_${id}_${randomBytes(32).toString("base64url")}`;
  const createdAt = new Date();
  const [row] = await database.queries.insert(tokens).values({
    id,
    tenantId: request.tenant,
    hash: hashOf(token).toString("hex"),
    scopes: [...new Set(request.scopes)],
    createdAt,
    expiresAt: new Date(createdAt.getTime() + request.days * DAY_MS),
    trainingOwnerId: request.trainingOwnerId ?? null,
  }).returning();
  return { ...info(row), token };
}

/** The token's record when it is valid now. Throws `token_invalid` or `token_expired`. */
export async function verifyToken(database: Database, token: string, now = new Date()): Promise<TokenInfo> {
  const id = TOKEN_FORM.exec(token)?.[1];
  if (id === undefined) throw invalidToken();
  const [row] = await database.queries.select().from(tokens).where(eq(tokens.id, id));
  const stored = row === undefined ? NO_HASH : Buffer.from(row.hash, "hex");
  if (!timingSafeEqual(hashOf(token), stored) || row === undefined) throw invalidToken();
  if (row.revokedAt !== null) {
    throw new SottoError("token_invalid", `the token ${id} was revoked: ask for a new one`);
  }
  if (row.expiresAt <= now) {
    throw new SottoError(
      "token_expired",
      `the token ${id} expired at ${row.expiresAt.toISOString()}: ask for a new one`,
    );
  }
  return info(row);
}

/** Tokens of a tenant, or of all of them, oldest first. */
export async function listTokens(database: Database, tenant?: string): Promise<TokenInfo[]> {
  const rows = await database.queries.select().from(tokens)
    .where(tenant === undefined ? undefined : eq(tokens.tenantId, tenant))
    .orderBy(asc(tokens.createdAt), asc(tokens.id));
  return rows.map(info);
}

/** Revokes a token now; false when the tenant (or nobody) has such a token. Revoking twice keeps the first time. */
export async function revokeToken(database: Database, id: string, tenant?: string): Promise<boolean> {
  const mine = tenant === undefined ? eq(tokens.id, id) : and(eq(tokens.id, id), eq(tokens.tenantId, tenant));
  await database.queries.update(tokens).set({ revokedAt: new Date() }).where(and(mine, isNull(tokens.revokedAt)));
  const found = await database.queries.select({ id: tokens.id }).from(tokens).where(mine);
  return found.length === 1;
}

/** Revokes every token of a data owner now. */
export async function revokeOwnerTokens(database: Database, trainingOwnerId: string): Promise<void> {
  await database.queries.update(tokens).set({ revokedAt: new Date() })
    .where(and(eq(tokens.trainingOwnerId, trainingOwnerId), isNull(tokens.revokedAt)));
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function info(row: typeof tokens.$inferSelect): TokenInfo {
  const { hash: _hash, ...shown } = row;
  return shown;
}

function invalidToken(): SottoError {
  return new SottoError("token_invalid", "the bearer token is not known here: check it, or ask for a new one");
}
