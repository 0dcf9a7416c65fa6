/**
 * The header `Idempotency-Key`: a POST that is sent again with its key gets the answer of the first one. Kept are answers of at most 64 kB of
 * JSON, for a day; a request that failed is done again, and so is one whose answer is a file, for those change nothing.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { createHash } from "node:crypto";
import {
  changeIdempotencyRow,
  type Database,
  dropIdempotencyKey,
  type IdempotencyHold,
  type IdempotencyRow,
  seizeIdempotencyKey,
  takeIdempotencyKey,
} from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { details, knownError } from "../../jobs/mod.ts";
import type { Env, Services } from "../services.ts";
import { hashedBody } from "./hashed_body.ts";
import { keptAnswer } from "./kept_answer.ts";

const DAY_MS = 24 * 3_600_000;
/** Between two signs of life of a request, and after how long without one its server has ended. */
const [LIFE_MS, DEAD_MS] = [10_000, 30_000];
const KEY_FORM = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;

/** Answers a POST with a key once. Throws `conflict`, `idempotency_key_reused`, or `malformed_request` for a key of another form. */
export function answerOnce({ database, log }: Pick<Services, "database" | "log">) {
  return createMiddleware<Env>(async (c, next) => {
    const key = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
    if (key === undefined) return await next();
    const row = newRow(c, key);
    const first = await takeIdempotencyKey(database, row, new Date());
    if (first !== undefined && !await takeOver(database, row, first)) return await answerAgain(c, row, first);
    c.set("idempotencyKey", key);
    const life = setInterval(() => void touch(database, row), LIFE_MS);
    try {
      const body = hashedBody(c.req.raw.body);
      if (body.stream !== null) c.req.raw = new Request(c.req.raw, { body: body.stream });
      await next();
      await keep(c, database, row, body.digest());
    } catch (error) {
      log.warn("idempotency key not kept", details(knownError(error, "the key was not kept")));
      throw error;
    } finally {
      clearInterval(life);
      await dropBody(c.req.raw);
    }
  });
}

/** A body that nobody read is let go: while it is held, the server reads no more of it, and a client that still sends waits for ever. */
async function dropBody({ body }: Request): Promise<void> {
  if (body !== null && !body.locked) await body.cancel().catch(() => undefined);
}

function newRow(c: Context<Env>, key: string): IdempotencyRow {
  if (!KEY_FORM.test(key)) {
    throw new SottoError("malformed_request", "idempotency-key: must be 1 to 200 printable ASCII characters");
  }
  const { tenantId, scopes, trainingOwnerId } = c.get("caller");
  const { pathname, search } = new URL(c.req.url);
  const spelling = JSON.stringify([c.req.method, pathname, search, [...scopes].sort(), trainingOwnerId]);
  const now = new Date();
  return {
    tenantId,
    key,
    request: createHash("sha256").update(spelling).digest("hex"),
    holder: crypto.randomUUID(),
    seenAt: now,
    bodyDigest: null,
    status: null,
    headers: null,
    body: null,
    createdAt: now,
    expiresAt: new Date(now.getTime() + DAY_MS),
  };
}

/** A request whose server ended before it answered is done again. */
async function takeOver(database: Database, row: IdempotencyRow, first: IdempotencyRow): Promise<boolean> {
  if (first.status !== null || first.request !== row.request) return false;
  return await seizeIdempotencyKey(database, row, first, new Date(Date.now() - DEAD_MS));
}

async function answerAgain(c: Context<Env>, row: IdempotencyRow, first: IdempotencyRow): Promise<Response> {
  if (first.request !== row.request) throw reused();
  if (first.status === null) {
    throw new SottoError("conflict", "the first request with this idempotency key is being answered: wait for it", {
      retryAfter: 2,
    });
  }
  const body = hashedBody(c.req.raw.body);
  await body.stream?.pipeTo(new WritableStream());
  if (body.digest() !== first.bodyDigest) throw reused();
  if (first.body === null) {
    const message =
      "the answer to this idempotency key held a token, which is not kept: use another key for another one";
    throw new SottoError("conflict", message);
  }
  return c.body(first.body, first.status as 200, { ...first.headers, "idempotency-replayed": "true" });
}

function reused(): SottoError {
  const message = "this idempotency key was used for another request: use another key";
  return new SottoError("idempotency_key_reused", message);
}

async function keep(c: Context<Env>, database: Database, hold: IdempotencyHold, bodyDigest: string): Promise<void> {
  const kept = await keptAnswer(c.res);
  if (kept === undefined) await dropIdempotencyKey(database, hold);
  else await changeIdempotencyRow(database, hold, { ...kept, bodyDigest });
}

async function touch(database: Database, hold: IdempotencyHold): Promise<void> {
  await changeIdempotencyRow(database, hold, { seenAt: new Date() }).catch(() => undefined);
}
