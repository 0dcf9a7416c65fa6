/** The server's HTTP interface as typed calls; every failure is a SottoError. */
import { z } from "zod";
import { type Description, descriptionSchema } from "../circuits/description.ts";
import { CAPABILITIES } from "../circuits/wire.ts";
import { SottoError } from "../errors.ts";
import type { LongCallOptions } from "./calls.ts";
import { FineTuningCalls } from "./finetune/fine_tuning_calls.ts";
import { followJob, type Job, type JobPage, jobPageSchema, jobSchema } from "./jobs.ts";
import { type Call, request } from "./request.ts";
import {
  type AuditEntry,
  auditPageSchema,
  type AuditRange,
  type NewToken,
  newTokenSchema,
  type RotatedToken,
  rotatedTokenSchema,
  type TokenRequest,
  tokenSchema,
  type TokenSummary,
} from "./tokens.ts";
import { TrainingCalls } from "./training_http.ts";

const keySchema = z.object({
  id: z.string(),
  key_id: z.string(),
  capability: z.enum(CAPABILITIES).default("pack"),
  parameter_set: z.string(),
  bytes: z.number(),
  created_at: z.string(),
  expires_at: z.string().nullish(),
});
const sourceSchema = z.object({ format: z.string(), version: z.string(), objective: z.string() }).partial();
const modelSummarySchema = z.object({ id: z.string(), name: z.string(), created_at: z.string(), source: sourceSchema });
const modelSchema = modelSummarySchema.extend({ description: descriptionSchema });

/** A registered key file. `id` is the digest of the file, `key_id` names the key pair. */
export type RegisteredKeys = z.infer<typeof keySchema>;
/** A registered model without its description. */
export type ModelSummary = z.infer<typeof modelSummarySchema>;
/** A registered model. */
export type RegisteredModel = ModelSummary & { readonly description: Description };
/** A body that is streamed up; a Blob or an array has a known length. */
export type Upload = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** How a model file is imported. */
export interface ModelImport {
  readonly name: string;
  readonly format: "xgboost" | "lightgbm" | "onnx";
  readonly file: Uint8Array;
  /** Quantile bins instead of the model's own thresholds: one sorted array a feature. */
  readonly bins?: { readonly bitCount: number; readonly edges: readonly (readonly number[])[] };
  /** Tree models: `score` lets only sums leave the server; default `leaves`. */
  readonly mode?: "leaves" | "score";
  /** Networks (ONNX): rows like those to come, as CSV with a header line and one feature a column; they go to the server. */
  readonly calibration?: string | Uint8Array;
}

/** What is sent to be predicted. */
export interface PredictionCall extends LongCallOptions {
  readonly model: string;
  /** Id of any registered key file of the key pair; linear models need none. */
  readonly keys?: string;
  /** An encrypted rows file. */
  readonly file: Upload;
  /** Asks for a job even when the server would answer at once. */
  readonly asJob?: boolean;
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
  /** Training sessions. */
  readonly training: TrainingCalls;
  /** Base models and fine-tuning sessions. */
  readonly fineTuning: FineTuningCalls;

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
    this.training = new TrainingCalls({
      send: (call) => this.#send(call),
      json: (schema, call) => this.#json(schema, call),
    });
    this.fineTuning = new FineTuningCalls((url) => {
      const client = url === undefined ? this : new SottoClient(url, token);
      return { send: (call) => client.#send(call), json: (schema, call) => client.#json(schema, call) };
    });
  }

  /** Registers a key file; the same file again gives the same object. */
  registerKeys(file: Upload, signal?: AbortSignal): Promise<RegisteredKeys> {
    return this.#json(keySchema, { method: "POST", path: "/v1/keys", body: file, signal });
  }
  /** Every registered key file of the tenant. */
  async listKeys(): Promise<RegisteredKeys[]> {
    return (await this.#json(z.object({ keys: z.array(keySchema) }), { path: "/v1/keys" })).keys;
  }
  /** One registered key file. */
  getKeys(id: string): Promise<RegisteredKeys> {
    return this.#json(keySchema, { path: `/v1/keys/${encodeURIComponent(id)}` });
  }
  /** Removes a registered key file. */
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
    if (model.mode !== undefined) query.set("mode", model.mode);
    if (model.bins) query.set("n_bits", String(model.bins.bitCount));
    const body = importBody(model);
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

  /**
   * Sends an encrypted rows file and returns the encrypted answers file. A job that the server makes of it is followed to its end, and
   * cancelled on abort; only a job's progress is told.
   */
  async predict(call: PredictionCall): Promise<EncryptedAnswers> {
    const query = call.keys === undefined ? "" : `?key=${encodeURIComponent(call.keys)}`;
    const path = `/v1/models/${encodeURIComponent(call.model)}/predictions${query}`;
    const headers = call.asJob ? { prefer: "respond-async" } : undefined;
    const response = await this.#send({ method: "POST", path, body: call.file, headers, signal: call.signal });
    if (response.status !== 202) return await answersOf(response);
    return await followJob(this, (await readJson(jobSchema, response, { method: "POST", path })).id, call);
  }

  /** How far a job is. */
  getJob(id: string, signal?: AbortSignal): Promise<Job> {
    return this.#json(jobSchema, { path: `/v1/jobs/${encodeURIComponent(id)}`, signal });
  }
  /** The tenant's jobs, newest first, a page at a time. */
  listJobs(page: { readonly limit?: number; readonly cursor?: string } = {}): Promise<JobPage> {
    const query = new URLSearchParams(Object.entries(page).map(([name, value]) => [name, String(value)]));
    return this.#json(jobPageSchema, { path: `/v1/jobs?${query}` });
  }
  /** The answers of a job that has succeeded. */
  async jobAnswers(id: string, signal?: AbortSignal): Promise<EncryptedAnswers> {
    return await answersOf(await this.#send({ path: `/v1/jobs/${encodeURIComponent(id)}/answers`, signal }));
  }
  /** Cancels a job, or forgets one that has ended. */
  deleteJob(id: string): Promise<void> {
    return this.#nothing({ method: "DELETE", path: `/v1/jobs/${encodeURIComponent(id)}` });
  }

  /** Makes a token for the tenant of this client's own token (scope `admin`). */
  createToken(token: TokenRequest): Promise<NewToken> {
    return this.#json(newTokenSchema, { method: "POST", path: "/v1/tokens", json: token });
  }
  /** Every token of the tenant. */
  async listTokens(): Promise<TokenSummary[]> {
    return (await this.#json(z.object({ tokens: z.array(tokenSchema) }), { path: "/v1/tokens" })).tokens;
  }
  /** One token of the tenant. */
  getToken(id: string): Promise<TokenSummary> {
    return this.#json(tokenSchema, { path: `/v1/tokens/${encodeURIComponent(id)}` });
  }
  /** Makes a token that takes the place of another, which stays good for the grace time. */
  rotateToken(id: string, rotation: { days?: number; grace_seconds?: number }): Promise<RotatedToken> {
    const path = `/v1/tokens/${encodeURIComponent(id)}/rotation`;
    return this.#json(rotatedTokenSchema, { method: "POST", path, json: rotation });
  }
  /** The tenant's rows of the audit log, newest first, read page by page (scope `admin`). */
  async *audit(range: AuditRange = {}): AsyncGenerator<AuditEntry> {
    const given = Object.entries(range).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams([...given, ["limit", "1000"]]);
    for (;;) {
      const page = await this.#json(auditPageSchema, { path: `/v1/audit?${query}` });
      yield* page.audit;
      if (page.next === null) return;
      query.set("cursor", String(page.next));
    }
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
    return await readJson(schema, await this.#send(call), call);
  }
}

async function readJson<T>(
  schema: z.ZodType<T>,
  response: Response,
  { method = "GET", path }: Pick<Call, "method" | "path">,
): Promise<T> {
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SottoError(
    "internal",
    `the server's answer to ${method} ${path.split("?")[0]} is not as expected ` +
      `(${issue.path.join(".") || "body"}: ${issue.message}): are client and server of the same version?`,
  );
}

async function answersOf(response: Response): Promise<EncryptedAnswers> {
  const serverMs = Number(response.headers.get("sotto-server-ms") ?? NaN);
  return { file: await response.bytes(), serverMs };
}

/** The model file alone, or a form with what goes with it. */
function importBody({ file, bins, calibration }: ModelImport): Uint8Array | FormData {
  if (bins === undefined && calibration === undefined) return file;
  const form = new FormData();
  form.set("model", new Blob([new Uint8Array(file)]), "model");
  if (bins !== undefined) {
    form.set("edges", new Blob([JSON.stringify(bins.edges)], { type: "application/json" }), "edges.json");
  }
  if (calibration !== undefined) {
    const csv = typeof calibration === "string" ? calibration : new Uint8Array(calibration);
    form.set("calibration", new Blob([csv], { type: "text/csv" }), "calibration.csv");
  }
  return form;
}
