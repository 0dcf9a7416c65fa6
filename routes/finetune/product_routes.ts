/** Products with encrypted tokens: the request is held in memory, the answer leaves tile by tile. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  encodeServerTime,
  partMasks,
  productAnswerBytes,
  productMasksBytes,
  productRequestBytes,
  type ProductShape,
  splitRequest,
  tilesOf,
} from "../../circuits/finetune/mod.ts";
import { chargeFineTuningSession } from "../../db/mod.ts";
import { SottoError } from "../../errors.ts";
import { bodyBytes } from "../body.ts";
import type { Env, Services } from "../services.ts";
import { admitStream } from "./answer_stream.ts";
import { fetchMasks, multiply } from "./contract.ts";
import { type OpenSession, ownSession } from "./find_session.ts";
import { leaseGroup, planOf } from "./group_matrices.ts";

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>>;

/** Adds the routes of products and of cached masks. */
export function addProductRoutes(app: OpenAPIHono<Env>, services: Services): void {
  app.openapi(multiply, async (c) => {
    const open = await ownSession(services, c.get("caller"), c.req.valid("param").id);
    const { group, direction, tokens } = c.req.valid("query");
    requireTokens(open, tokens);
    const plan = planOf(open.model, group);
    const shape: ProductShape = { plan, direction, set: open.set, mode: open.session.masks, tokens };
    const stream = await admitStream(services.products, open.session.tenantId, (ended) => {
      const signal = AbortSignal.any([ended, c.req.raw.signal]);
      return products(services, c, open, shape, signal);
    });
    return c.body(stream, 200, headersOf(productAnswerBytes(shape)));
  });
  app.openapi(fetchMasks, async (c) => {
    const { id, group } = c.req.valid("param");
    const open = await ownSession(services, c.get("caller"), id);
    const { maskSeed, masks: mode } = open.session;
    if (maskSeed === null) {
      throw new SottoError("session_state", "the session has fresh masks, which come with the answers");
    }
    const { direction } = c.req.valid("query");
    const shape: ProductShape = { plan: planOf(open.model, group), direction, set: open.set, mode, tokens: 1 };
    const stream = await admitStream(
      services.products,
      open.session.tenantId,
      (signal) => masks(services, open, shape, signal),
    );
    return c.body(stream, 200, headersOf(productMasksBytes(shape)));
  });
}

function headersOf(bytes: number): Record<string, string> {
  return { "content-type": "application/octet-stream", "content-length": String(bytes) };
}

function requireTokens({ session }: OpenSession, tokens: number): void {
  if (tokens <= session.tokensMax) return;
  throw new SottoError("malformed_request", `tokens: this session takes at most ${session.tokensMax} tokens a request`);
}

/** Throws `quota_exceeded`. Work that fails later stays counted. */
async function charge({ database }: Services, { session }: OpenSession, bytes: number): Promise<void> {
  if (await chargeFineTuningSession(database, session.id, bytes)) return;
  const left = Math.max(0, session.bytesMax - session.bytesUsed);
  throw new SottoError(
    "quota_exceeded",
    `the request and its answer have ${bytes} bytes, the session has ${left} left`,
  );
}

async function* products(
  services: Services,
  c: Context<Env>,
  open: OpenSession,
  shape: ProductShape,
  signal: AbortSignal,
): Pieces {
  const requestBytes = productRequestBytes(shape);
  requireLength(c, requestBytes);
  using _held = services.productBytes.take(requestBytes);
  await charge(services, open, requestBytes + productAnswerBytes(shape));
  const { seed, bodies } = splitRequest(shape, await readBody(services, c, requestBytes));
  const maskSeed = seed ?? Uint8Array.fromHex(open.session.maskSeed!);
  const leased = performance.now();
  using group = await leaseGroup(services, open.model, shape.plan);
  const { direction, set, mode, tokens } = shape;
  let serverMs = performance.now() - leased;
  for (const { input, output, inputs } of tilesOf(shape.plan, direction)) {
    const matrix = direction === "forward" ? group.value.grid[output][input] : group.value.grid[input][output];
    const request = {
      ...{ set, tokens, features: inputs.count, bodies: bodies[input] },
      masks: partMasks(shape, inputs, maskSeed),
    };
    yield await services.products.turn(open.session.tenantId, async () => {
      const start = performance.now();
      const answer = await services.backend.tokens.multiplyTokens(matrix, direction, request, mode, { signal });
      serverMs += performance.now() - start;
      return answer as Uint8Array<ArrayBuffer>;
    }, signal);
  }
  const tenant = open.session.tenantId;
  services.metrics.observeWork({ kind: "product", circuit: "tokens", tenant }, serverMs / 1000);
  yield encodeServerTime(serverMs);
}

async function* masks(services: Services, open: OpenSession, shape: ProductShape, signal: AbortSignal): Pieces {
  await charge(services, open, productMasksBytes(shape));
  using group = await leaseGroup(services, open.model, shape.plan);
  const seed = Uint8Array.fromHex(open.session.maskSeed!);
  const { direction, set, plan } = shape;
  for (const { input, output, inputs } of tilesOf(plan, direction)) {
    const matrix = direction === "forward" ? group.value.grid[output][input] : group.value.grid[input][output];
    const source = { set, masks: partMasks(shape, inputs, seed) };
    yield await services.products.turn(
      open.session.tenantId,
      async () =>
        await services.backend.tokens.multiplyMasks(matrix, direction, source, { signal }) as Uint8Array<ArrayBuffer>,
      signal,
    );
  }
}

/** A body of another length is refused before it is read. Throws `malformed_file`. */
function requireLength(c: Context<Env>, bytes: number): void {
  const length = c.req.header("content-length");
  if (length === undefined || Number(length) === bytes) return;
  throw wrongLength(bytes, length);
}

async function readBody({ config }: Services, c: Context<Env>, bytes: number): Promise<Uint8Array> {
  const body = await bodyBytes(c, { maxBytes: bytes, idleSeconds: config.uploadIdleSeconds });
  if (body.length !== bytes) throw wrongLength(bytes, String(body.length));
  return body;
}

function wrongLength(bytes: number, found: string): SottoError {
  return new SottoError(
    "malformed_file",
    `a request for this group and so many tokens has ${bytes} bytes, not ${found}`,
  );
}
