/** The routes of fine-tuning as typed calls; every failure is a SottoError. */
import { z } from "zod";
import {
  groupPlanSchema,
  productAnswerBytes,
  productMasksBytes,
  type ProductShape,
  type TokenDirection,
} from "../../circuits/finetune/mod.ts";
import { SottoError } from "../../errors.ts";
import type { WeightKind } from "../../models/language/mod.ts";
import type { Call } from "../request.ts";

const baseSummarySchema = z.object({
  id: z.string(),
  name: z.string(),
  weights: z.enum(["int8", "int10"]).default("int8"),
  weight_bytes: z.number(),
  public_bytes: z.number(),
  public_digest: z.string(),
  created_at: z.string(),
});
const baseModelSchema = baseSummarySchema.extend({
  config: z.record(z.string(), z.unknown()),
  groups: z.array(groupPlanSchema),
});
const tokenizerSchema = z.object({
  description: z.record(z.string(), z.unknown()),
  special: z.object({ begin: z.number().optional(), end: z.number().optional() }),
});
const sessionSchema = z.object({
  id: z.string(),
  base_model: z.string(),
  parameter_set: z.string(),
  masks: z.enum(["fresh", "cached"]),
  mask_seed: z.string().nullable(),
  tokens_max: z.number(),
  bytes_per_token: z.number(),
  mask_bytes: z.number(),
  requests: z.number(),
  bytes_used: z.number(),
  bytes_max: z.number(),
  placement: z.array(z.object({
    url: z.string(),
    layers: z.tuple([z.number(), z.number()]).optional(),
    output: z.boolean().optional(),
  })),
  created_at: z.string(),
});

/** A base model in a list. */
export type BaseModelSummary = z.infer<typeof baseSummarySchema>;
/** A base model: its shape, and how the server cuts its groups. */
export type BaseModel = z.infer<typeof baseModelSchema>;
/** A session. */
export type FineTuningSession = z.infer<typeof sessionSchema>;

/** What a new session works with. */
export interface NewFineTuning {
  readonly baseModel: string;
  /** "tokens-1024-q32" or "tokens-2048-q32"; default: what the weights are good for. */
  readonly parameterSet?: string;
  readonly masks?: "fresh" | "cached";
  readonly tokensMax?: number;
}

/** How the calls reach a server. */
export interface FineTuningTransport {
  send(call: Call): Promise<Response>;
  json<T>(schema: z.ZodType<T>, call: Call): Promise<T>;
}

const BASE = "/v1/base-models";
const SESSIONS = "/v1/fine-tuning-sessions";

export class FineTuningCalls {
  /** `reach`: the server of an address with the same token; of no address: the client's own. */
  constructor(private readonly reach: (url?: string) => FineTuningTransport) {}

  /** Registers a model of the server's folder; the same model again gives the same object. */
  registerBaseModel(model: { name: string; path: string; weights?: WeightKind }): Promise<BaseModel> {
    return this.reach().json(baseModelSchema, { method: "POST", path: BASE, json: model });
  }
  async listBaseModels(): Promise<BaseModelSummary[]> {
    return (await this.reach().json(z.object({ base_models: z.array(baseSummarySchema) }), { path: BASE })).base_models;
  }
  getBaseModel(id: string): Promise<BaseModel> {
    return this.reach().json(baseModelSchema, { path: `${BASE}/${encodeURIComponent(id)}` });
  }
  async deleteBaseModel(id: string): Promise<void> {
    await discard(this.reach().send({ method: "DELETE", path: `${BASE}/${encodeURIComponent(id)}` }));
  }
  /** The bytes of a safetensors file: see `loadBaseModel`. */
  async publicParts(id: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.reach().send({ path: `${BASE}/${encodeURIComponent(id)}/public`, signal });
    return body ?? new ReadableStream({ start: (controller) => controller.close() });
  }
  tokenizer(id: string): Promise<z.infer<typeof tokenizerSchema>> {
    return this.reach().json(tokenizerSchema, { path: `${BASE}/${encodeURIComponent(id)}/tokenizer` });
  }

  createSession({ baseModel, parameterSet, masks, tokensMax }: NewFineTuning): Promise<FineTuningSession> {
    const json = { base_model: baseModel, parameter_set: parameterSet, masks, tokens_max: tokensMax };
    return this.reach().json(sessionSchema, { method: "POST", path: SESSIONS, json });
  }
  async listSessions(): Promise<FineTuningSession[]> {
    return (await this.reach().json(z.object({ sessions: z.array(sessionSchema) }), { path: SESSIONS })).sessions;
  }
  getSession(id: string): Promise<FineTuningSession> {
    return this.reach().json(sessionSchema, { path: `${SESSIONS}/${encodeURIComponent(id)}` });
  }
  async deleteSession(id: string): Promise<void> {
    await discard(this.reach().send({ method: "DELETE", path: `${SESSIONS}/${encodeURIComponent(id)}` }));
  }

  /** Sends a request of the shape to the server at `url`; the answer has its length. Throws `server_unreachable` when it breaks off. */
  async multiply(
    session: Pick<FineTuningSession, "id">,
    shape: ProductShape,
    body: Uint8Array,
    options: { url?: string; signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const { plan, direction, tokens } = shape;
    const query = new URLSearchParams({ group: plan.name, direction, tokens: String(tokens) });
    const path = `${SESSIONS}/${session.id}/products?${query}`;
    const call: Call = { method: "POST", path, body, signal: options.signal };
    return await readExactly(await this.reach(options.url).send(call), productAnswerBytes(shape), options.signal);
  }

  /** The cached masks of all answers of a group in a direction. */
  async masks(
    session: Pick<FineTuningSession, "id">,
    shape: Pick<ProductShape, "plan" | "direction" | "set">,
    options: { url?: string; signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const path = `${SESSIONS}/${session.id}/masks/${shape.plan.name}?direction=${shape.direction}`;
    const response = await this.reach(options.url).send({ path, signal: options.signal });
    return await readExactly(response, productMasksBytes(shape), options.signal);
  }
}

/** The server of a group: the last of the placement that has its layer, or none. */
export function placeOf(
  { placement }: Pick<FineTuningSession, "placement">,
  group: string,
): string | undefined {
  const layer = /^layers\.(\d+)\./.exec(group)?.[1];
  return placement.findLast(({ layers, output }) =>
    layer === undefined ? output : layers !== undefined && Number(layer) >= layers[0] && Number(layer) <= layers[1]
  )?.url;
}

/** Names a direction of a group. */
export function productName(group: string, direction: TokenDirection): string {
  return `${group}.${direction}`;
}

async function discard(response: Promise<Response>): Promise<void> {
  await (await response).body?.cancel();
}

/** The whole body, read into one array in place: answers are large. */
async function readExactly(response: Response, bytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  const reader = response.body?.getReader({ mode: "byob" });
  if (reader === undefined) throw brokenOff();
  let [out, at] = [new Uint8Array(bytes + 1), 0];
  try {
    for (;;) {
      const { value, done } = await reader.read(out.subarray(at));
      if (value === undefined) break;
      out = new Uint8Array(value.buffer);
      at += value.length;
      if (done || at > bytes) break;
    }
  } catch (cause) {
    if (signal?.aborted) throw new SottoError("cancelled", "the call was cancelled", { cause });
    throw brokenOff(cause);
  }
  if (at === bytes) return out.subarray(0, bytes);
  reader.cancel().catch(() => undefined);
  throw brokenOff();
}

function brokenOff(cause?: unknown): SottoError {
  return new SottoError("server_unreachable", "the server's answer broke off: is it still running?", { cause });
}
