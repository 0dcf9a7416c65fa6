/** The server's HTTP interface as typed calls; every failure is a SottoError. */
import { z } from "zod";
import { type Description, descriptionSchema } from "../circuits/description.ts";
import { SottoError } from "../errors.ts";
import { type Call, request } from "./request.ts";

const keySchema = z.object({
  id: z.string(),
  key_id: z.string(),
  parameter_set: z.string(),
  bytes: z.number(),
  created_at: z.string(),
  expires_at: z.string().nullish(),
});
const sourceSchema = z.object({ format: z.string(), version: z.string(), objective: z.string() }).partial();
const modelSummarySchema = z.object({ id: z.string(), name: z.string(), created_at: z.string(), source: sourceSchema });
const modelSchema = modelSummarySchema.extend({ description: descriptionSchema });
const tokenSchema = z.object({
  id: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string().nullish(),
  expires_at: z.string().nullish(),
  revoked_at: z.string().nullish(),
});
const newTokenSchema = z.object({ id: z.string(), token: z.string() });

/** Registered evaluation keys. `id` is the digest of the file, `key_id` names the key pair. */
export type RegisteredKeys = z.infer<typeof keySchema>;
/** A registered model without its description. */
export type ModelSummary = z.infer<typeof modelSummarySchema>;
/** A registered model. */
export type RegisteredModel = ModelSummary & { readonly description: Description };
/** A token without its secret. */
export type TokenSummary = z.infer<typeof tokenSchema>;
/** Answer of the call that makes a token: the only time the token itself is shown. */
export type NewToken = z.infer<typeof newTokenSchema>;

/** A body that is streamed up; a Blob or an array has a known length. */
export type Upload = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** How a model file is imported. */
export interface ModelImport {
  readonly name: string;
  readonly format: "xgboost" | "lightgbm" | "onnx";
  readonly file: Uint8Array;
  /** Quantile bins instead of the model's own thresholds: one sorted array a feature. */
  readonly bins?: { readonly bitCount: number; readonly edges: readonly (readonly number[])[] };
}

/** An encrypted answers file and the server's time for it. */
export interface EncryptedAnswers {
  readonly file: Uint8Array;
  /** Milliseconds of evaluation, as the server measured them; NaN when it did not say. */
  readonly serverMs: number;
}

/** A connection to one server with one token. The token never appears in a message or when the object is printed. */
export class SottoClient {
  readonly #token: string;
  readonly #base: string;

  /**
   * @param baseUrl such as `http://127.0.0.1:8080`
   * @throws SottoError configuration_invalid when the address is not an http(s) URL.
   */
  constructor(baseUrl: string, token: string) {
    if (!/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? "")) {
      throw new SottoError("configuration_invalid", `"${baseUrl}" is not a server address: write http://HOST:PORT`);
    }
    this.#base = baseUrl.replace(/\/+$/, "");
    this.#token = token;
  }

  /** Registers evaluation keys; the same file again gives the same object. */
  registerKeys(file: Upload, signal?: AbortSignal): Promise<RegisteredKeys> {
    return this.#json(keySchema, { method: "POST", path: "/v1/keys", body: file, signal });
  }
  /** Every registered evaluation key file of the tenant. */
  async listKeys(): Promise<RegisteredKeys[]> {
    return (await this.#json(z.object({ keys: z.array(keySchema) }), { path: "/v1/keys" })).keys;
  }
  /** One registered evaluation key file. */
  getKeys(id: string): Promise<RegisteredKeys> {
    return this.#json(keySchema, { path: `/v1/keys/${encodeURIComponent(id)}` });
  }
  /** Removes registered evaluation keys. */
  deleteKeys(id: string): Promise<void> {
    return this.#nothing({ method: "DELETE", path: `/v1/keys/${encodeURIComponent(id)}` });
  }

  /** Imports a model; the same file with the same options again gives the same object. */
  importModel(model: ModelImport): Promise<RegisteredModel> {
    const query = new URLSearchParams({
      name: model.name,
      format: model.format,
      bins: model.bins ? "quantile" : "model",
    });
    if (model.bins) query.set("n_bits", String(model.bins.bitCount));
    const body = model.bins ? quantileForm(model.file, model.bins.edges) : model.file;
    return this.#json(modelSchema, { method: "POST", path: `/v1/models?${query}`, body });
  }
  /** Every model of the tenant, without descriptions. */
  async listModels(): Promise<ModelSummary[]> {
    return (await this.#json(z.object({ models: z.array(modelSummarySchema) }), { path: "/v1/models" })).models;
  }
  /** One model with its description. */
  getModel(id: string): Promise<RegisteredModel> {
    return this.#json(modelSchema, { path: `/v1/models/${encodeURIComponent(id)}` });
  }
  /** Removes a model. */
  deleteModel(id: string): Promise<void> {
    return this.#nothing({ method: "DELETE", path: `/v1/models/${encodeURIComponent(id)}` });
  }

  /** Sends an encrypted rows file and returns the encrypted answers file. `keys` is needed for trees. */
  async predict(call: { model: string; keys?: string; file: Upload; signal?: AbortSignal }): Promise<EncryptedAnswers> {
    const query = call.keys === undefined ? "" : `?key=${encodeURIComponent(call.keys)}`;
    const path = `/v1/models/${encodeURIComponent(call.model)}/predictions${query}`;
    const response = await this.#send({ method: "POST", path, body: call.file, signal: call.signal });
    const serverMs = Number(response.headers.get("sotto-server-ms") ?? NaN);
    return { file: await response.bytes(), serverMs };
  }

  /** Makes a token for the tenant of this client's own token (scope `admin`). */
  createToken(token: { scopes: readonly string[]; days?: number }): Promise<NewToken> {
    return this.#json(newTokenSchema, { method: "POST", path: "/v1/tokens", json: token });
  }
  /** Every token of the tenant. */
  async listTokens(): Promise<TokenSummary[]> {
    return (await this.#json(z.object({ tokens: z.array(tokenSchema) }), { path: "/v1/tokens" })).tokens;
  }
  /** Revokes a token at once. */
  revokeToken(id: string): Promise<void> {
    return this.#nothing({ method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}` });
  }

  #send(call: Call): Promise<Response> {
    return request(this.#base, this.#token, call);
  }
  async #nothing(call: Call): Promise<void> {
    await (await this.#send(call)).body?.cancel();
  }
  async #json<T>(schema: z.ZodType<T>, call: Call): Promise<T> {
    const response = await this.#send(call);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new SottoError(
      "internal",
      `the server's answer to ${call.method ?? "GET"} ${call.path.split("?")[0]} is not as expected ` +
        `(${issue.path.join(".") || "body"}: ${issue.message}): are client and server of the same version?`,
    );
  }
}

function quantileForm(file: Uint8Array, edges: readonly (readonly number[])[]): FormData {
  const form = new FormData();
  form.set("model", new Blob([new Uint8Array(file)]), "model");
  form.set("edges", new Blob([JSON.stringify(edges)], { type: "application/json" }), "edges.json");
  return form;
}
