import { and, eq, isNull, lt } from "drizzle-orm";
import type { Database } from "./database.ts";
import { idempotencyKeys } from "./schema.ts";

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/** One request that holds a key. */
export type IdempotencyHold = Pick<IdempotencyRow, "tenantId" | "key" | "holder">;

/** Takes a key for a request; the row of the request that has it, when there is one. A row that has expired gives way. */
export async function takeIdempotencyKey(
  database: Database,
  row: IdempotencyRow,
  now: Date,
): Promise<IdempotencyRow | undefined> {
  const { queries } = database;
  await queries.delete(idempotencyKeys).where(and(ofKey(row), lt(idempotencyKeys.expiresAt, now)));
  const inserted = await queries.insert(idempotencyKeys).values(row).onConflictDoNothing()
    .returning({ key: idempotencyKeys.key });
  if (inserted.length === 1) return undefined;
  const [found] = await queries.select().from(idempotencyKeys).where(ofKey(row));
  return found ?? takeIdempotencyKey(database, row, now);
}

/** Takes a key over from a request that was not heard of since; false when it was, or another took it first. */
export async function seizeIdempotencyKey(
  { queries }: Database,
  row: IdempotencyRow,
  from: Pick<IdempotencyRow, "holder">,
  seenBefore: Date,
): Promise<boolean> {
  const rows = await queries.update(idempotencyKeys).set(row).where(and(
    ofKey(row),
    eq(idempotencyKeys.holder, from.holder),
    isNull(idempotencyKeys.status),
    lt(idempotencyKeys.seenAt, seenBefore),
  )).returning({ key: idempotencyKeys.key });
  return rows.length === 1;
}

/** Changes the row of a request that still holds its key. */
export async function changeIdempotencyRow(
  { queries }: Database,
  hold: IdempotencyHold,
  change: Partial<Pick<IdempotencyRow, "seenAt" | "bodyDigest" | "status" | "headers" | "body">>,
): Promise<void> {
  await queries.update(idempotencyKeys).set(change).where(held(hold));
}

/** Gives a key back. */
export async function dropIdempotencyKey({ queries }: Database, hold: IdempotencyHold): Promise<void> {
  await queries.delete(idempotencyKeys).where(held(hold));
}

/** Removes what has expired. */
export async function removeIdempotencyKeys({ queries }: Database, now: Date): Promise<void> {
  await queries.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, now));
}

function ofKey({ tenantId, key }: Pick<IdempotencyRow, "tenantId" | "key">) {
  return and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.key, key));
}

function held(hold: IdempotencyHold) {
  return and(ofKey(hold), eq(idempotencyKeys.holder, hold.holder));
}
