/**
 * Products by a server's weights on encrypted tokens. Every attempt encrypts anew: fresh secrets, fresh noise, and with fresh masks a fresh seed, so a
 * request that failed and is made again gives the same numbers up to the noise of two encryptions.
 */
import { SEED_BYTES } from "../../circuits/layout.ts";
import { randomBytes } from "node:crypto";
import {
  decodeServerTime,
  type EncryptedTokens,
  type GroupPlan,
  type InputPart,
  partMasks,
  type ProductShape,
  sidesOf,
  tilesOf,
  tokenAnswerBytes,
  type TokenDirection,
  tokenMasksBytes,
  type TokensClient,
} from "../../circuits/finetune/mod.ts";
import type { Floats } from "../../circuits/finetune/float_kernels.ts";
import { SottoError } from "../../errors.ts";
import type { TokenParameterSet } from "../../params/mod.ts";
import { ditherTokens } from "./dither.ts";
import { type FineTuningCalls, type FineTuningSession, placeOf, productName } from "./fine_tuning_calls.ts";
import { type LinearProducts, OUTPUT_GROUP } from "./linear_products.ts";
import { type MaskStore, MemoryMasks } from "./mask_store.ts";
import { type RetryOptions, withRetries } from "./retry.ts";
import { addTile, columnsOf, joinScaled, splitModules } from "./tile_values.ts";

/** Where time and bytes went, since the products were made. */
export interface ProductTotals {
  /** Answered ones. */
  requests: number;
  /** Attempts that failed. */
  retries: number;
  bytesUp: number;
  bytesDown: number;
  /** Of cached masks, not among `bytesDown`. */
  maskBytes: number;
  /** Milliseconds of encryption and decryption with what goes with them. */
  encryptMs: number;
  decryptMs: number;
  /** Milliseconds that servers computed. */
  serverMs: number;
  /** Milliseconds of the calls beyond those: the way, and waiting for a turn. */
  wireMs: number;
}

export interface EncryptedParts {
  readonly tokens: TokensClient;
  readonly calls: FineTuningCalls;
  readonly session: FineTuningSession;
  readonly set: TokenParameterSet;
  readonly groups: readonly GroupPlan[];
  /** The scales of the rows of every module. */
  readonly rowScales: ReadonlyMap<string, Float32Array>;
  /** Of cached masks; default: memory. */
  readonly masks?: MaskStore;
  readonly retry?: RetryOptions;
  readonly signal?: AbortSignal;
}

export class EncryptedProducts implements LinearProducts {
  readonly totals: ProductTotals = {
    ...{ requests: 0, retries: 0, bytesUp: 0, bytesDown: 0, maskBytes: 0 },
    ...{ encryptMs: 0, decryptMs: 0, serverMs: 0, wireMs: 0 },
  };
  readonly #parts: EncryptedParts;
  readonly #groups: ReadonlyMap<string, { plan: GroupPlan; scales: Float32Array }>;
  readonly #masks: MaskStore;

  constructor(parts: EncryptedParts) {
    this.#parts = parts;
    this.#masks = parts.masks ?? new MemoryMasks();
    this.#groups = new Map(parts.groups.map((plan) => [plan.name, { plan, scales: stackedScales(plan, parts) }]));
  }

  async forward(group: string, x: Floats, tokens: number): Promise<Floats[]> {
    const { plan, scales } = this.#group(group);
    const out = await this.#multiply(this.#shape(plan, "forward", tokens), x, scales);
    return splitModules(out, plan, tokens);
  }

  /** The scales of rows are multiplied into dy before it is encrypted. */
  async backward(group: string, dy: readonly Floats[], tokens: number): Promise<Floats> {
    const { plan, scales } = this.#group(group);
    const joined = joinScaled(dy, plan, scales, tokens);
    const ones = new Float32Array(plan.columns).fill(1);
    return await this.#multiply(this.#shape(plan, "backward", tokens), joined, ones);
  }

  #group(name: string) {
    const group = this.#groups.get(name);
    if (group === undefined) throw new SottoError("model_refused", `the base model has no group "${name}"`);
    return group;
  }

  #shape(plan: GroupPlan, direction: TokenDirection, tokens: number): ProductShape {
    const { set, session } = this.#parts;
    if (tokens > session.tokens_max) {
      throw new SottoError(
        "rows_refused",
        `a block of ${tokens} tokens: the session takes at most ${session.tokens_max}`,
      );
    }
    return { plan, direction, set, mode: session.masks, tokens };
  }

  #multiply(shape: ProductShape, values: Floats, scales: Float32Array): Promise<Float32Array> {
    const { retry, signal } = this.#parts;
    const onRetry: RetryOptions["onRetry"] = (error) => {
      this.totals.retries++;
      retry?.onRetry?.(error);
    };
    return withRetries(() => this.#attempt(shape, values, scales), { signal, ...retry, onRetry });
  }

  async #attempt(shape: ProductShape, values: Floats, scales: Float32Array): Promise<Float32Array> {
    using blocks = new DisposableStack();
    const masks = await this.#cachedMasks(shape);
    const start = performance.now();
    const { encrypted, body } = await this.#encrypt(shape, values, blocks);
    const sent = performance.now();
    const answer = await this.#send(shape, body);
    const came = performance.now();
    const out = await this.#decrypt(shape, encrypted, answer, scales, masks);
    this.#count(body, answer, { encrypt: sent - start, call: came - sent, decrypt: performance.now() - came });
    return out;
  }

  async #encrypt(shape: ProductShape, values: Floats, blocks: DisposableStack) {
    const { session, set, tokens: client, signal } = this.#parts;
    const { plan, direction, tokens, mode } = shape;
    const seed = mode === "fresh" ? new Uint8Array(randomBytes(SEED_BYTES)) : Uint8Array.fromHex(session.mask_seed!);
    const { inputs } = sidesOf(plan, direction);
    const width = direction === "forward" ? plan.columns : plan.rows;
    const encrypted: EncryptedTokens[] = [];
    for (const part of inputs) {
      const block = { set, tokens, features: part.count, rowNorm: part.norm, masks: partMasks(shape, part, seed) };
      const own = columnsOf(values, width, part);
      const rounded = isLogitGradient(shape) ? ditherTokens(own, block) : own;
      encrypted.push(blocks.use(await client.encryptTokens(rounded, block, { signal })));
    }
    const pieces = encrypted.map(({ request }) => request.bodies);
    return { encrypted, body: joined(mode === "fresh" ? [seed, ...pieces] : pieces) };
  }

  async #send(shape: ProductShape, body: Uint8Array): Promise<Uint8Array> {
    const { calls, session, signal } = this.#parts;
    return await calls.multiply(session, shape, body, { url: placeOf(session, shape.plan.name), signal });
  }

  async #decrypt(
    shape: ProductShape,
    encrypted: readonly EncryptedTokens[],
    answer: Uint8Array,
    scales: Float32Array,
    masks: Uint8Array | undefined,
  ): Promise<Float32Array> {
    const { plan, direction, tokens, set, mode } = shape;
    const out = new Float32Array(tokens * scales.length);
    let [at, maskAt] = [0, 0];
    for (const { input, outputs } of tilesOf(plan, direction)) {
      const from = at;
      at += tokenAnswerBytes(set, tokens, outputs.count, mode);
      const maskFrom = maskAt;
      maskAt += tokenMasksBytes(set, outputs.count);
      const values = await encrypted[input].decrypt(answer.subarray(from, at), scalesOf(scales, outputs), {
        signal: this.#parts.signal,
        ...masks ? { masks: masks.subarray(maskFrom, maskAt) } : {},
      });
      if (outputs.count === scales.length && input === 0) out.set(values);
      else addTile(out, scales.length, outputs, values);
    }
    return out;
  }

  async #cachedMasks(shape: ProductShape): Promise<Uint8Array | undefined> {
    if (shape.mode === "fresh") return undefined;
    const { calls, session, signal } = this.#parts;
    const name = `${session.id}.${productName(shape.plan.name, shape.direction)}`;
    return await this.#masks.get(name, async () => {
      const masks = await calls.masks(session, shape, { url: placeOf(session, shape.plan.name), signal });
      this.totals.maskBytes += masks.length;
      return masks;
    });
  }

  #count(
    body: Uint8Array,
    answer: Uint8Array,
    ms: { encrypt: number; call: number; decrypt: number },
  ): void {
    const { totals } = this;
    const serverMs = decodeServerTime(answer);
    totals.requests++;
    totals.bytesUp += body.length;
    totals.bytesDown += answer.length;
    totals.encryptMs += ms.encrypt;
    totals.decryptMs += ms.decrypt;
    totals.serverMs += serverMs;
    totals.wireMs += ms.call - serverMs;
  }
}

/** Many values far below the largest: see `dither.ts`. */
function isLogitGradient({ plan, direction }: ProductShape): boolean {
  return plan.name === OUTPUT_GROUP && direction === "backward";
}

function stackedScales(plan: GroupPlan, { rowScales }: EncryptedParts): Float32Array {
  const scales = new Float32Array(plan.rows);
  let row = 0;
  for (const { name, rows } of plan.modules) {
    const own = rowScales.get(name);
    if (own?.length !== rows) {
      throw new SottoError("model_refused", `the scales of ${name} are missing: fetch the base model's parts again`);
    }
    scales.set(own, row);
    row += rows;
  }
  return scales;
}

function scalesOf(scales: Float32Array, { first, count }: InputPart): Float32Array {
  return scales.subarray(first, first + count);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
