/** The routes of training sessions as typed calls; every failure is a SottoError. */
import { z } from "zod";
import { parseTrainingSpec, type TrainingSpec } from "../circuits/training/mod.ts";
import { SottoError } from "../errors.ts";
import type { Call } from "./request.ts";

const summarySchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  step: z.number(),
  steps: z.number(),
  stop_at: z.number(),
  checkpoint_step: z.number(),
  step_ms: z.number().nullable(),
  estimated_seconds_left: z.number().nullable(),
  created_at: z.string(),
  changed_at: z.string(),
  failure: z.string().optional(),
});
const ownerSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["rows", "columns", "labels"]),
  columns: z.array(z.string()),
  bias: z.boolean(),
  first_batch: z.number(),
  batch_count: z.number(),
  uploaded_batches: z.number(),
  order_confirmed: z.boolean(),
});
const specSchema = z.unknown().transform((json): TrainingSpec => parseTrainingSpec(json));
const sessionSchema = summarySchema.extend({
  allowed: z.array(z.string()),
  batch_count: z.number(),
  checkpoint_every: z.number(),
  key_id: z.string().nullable(),
  has_training_keys: z.boolean(),
  has_public_key: z.boolean(),
  order_digest: z.string().nullable(),
  owners: z.array(ownerSchema),
  plan: z.record(z.string(), z.unknown()),
  spec: specSchema,
});
const addedOwnerSchema = ownerSchema.extend({ token: z.string(), token_id: z.string(), token_expires_at: z.string() });
const publicSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  batch_count: z.number(),
  key_id: z.string().nullable(),
  public_key: z.string().nullable(),
  order_digest: z.string().nullable(),
  owner: ownerSchema,
  spec: specSchema,
});
const orderSchema = z.object({ digest: z.string(), ids: z.array(z.string()) });
const batchSchema = z.object({ batch: z.number(), digest: z.string(), bytes: z.number() });

/** A training session in a list. */
export type TrainingSummary = z.infer<typeof summarySchema>;
/** A training session as its owner sees it. */
export type TrainingSession = z.infer<typeof sessionSchema>;
/** Who brings data to a session. */
export type DataOwner = z.infer<typeof ownerSchema>;
/** What a data owner sees of a session; `public_key` is a public key file in base64. */
export type TrainingPublic = z.infer<typeof publicSchema>;

/** What a new session is made of. */
export interface NewTraining {
  readonly name: string;
  readonly spec: TrainingSpec;
  /** Batches of all data owners together. */
  readonly batchCount: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery?: number;
}

/** A new data owner: see `docs/http.md`. */
export interface NewDataOwner {
  readonly name: string;
  readonly kind: DataOwner["kind"];
  readonly columns?: readonly string[];
  readonly bias?: boolean;
  readonly batches?: { readonly first: number; readonly count: number };
  readonly days?: number;
}

/** How the calls reach the server. */
export interface Transport {
  send(call: Call): Promise<Response>;
  json<T>(schema: z.ZodType<T>, call: Call): Promise<T>;
}

/** The calls of training sessions: those of the session's owner, and those of data owners with a token of their own. */
export class TrainingCalls {
  constructor(private readonly transport: Transport) {}

  /** Makes a session. */
  create({ name, spec, batchCount, checkpointEvery }: NewTraining): Promise<TrainingSession> {
    const json = { name, spec, batch_count: batchCount, checkpoint_every: checkpointEvery };
    return this.transport.json(sessionSchema, { method: "POST", path: ROOT, json });
  }
  /** Every session of the tenant. */
  async list(): Promise<TrainingSummary[]> {
    return (await this.transport.json(z.object({ sessions: z.array(summarySchema) }), { path: ROOT })).sessions;
  }
  /** One session. */
  get(id: string, signal?: AbortSignal): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { path: of(id), signal });
  }
  /** Deletes a session with everything that belongs to it. */
  delete(id: string): Promise<void> {
    return this.#nothing({ method: "DELETE", path: of(id) });
  }
  /** Sends a training key file or a public key file. */
  putKeys(id: string, file: Uint8Array): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { method: "PUT", path: of(id, "/keys"), body: file });
  }
  /** Adds a data owner; the token is shown this once. */
  addOwner(id: string, owner: NewDataOwner): Promise<DataOwner & { readonly token: string }> {
    return this.transport.json(addedOwnerSchema, { method: "POST", path: of(id, "/owners"), json: owner });
  }
  /** Revokes the tokens of a data owner; before the first run its uploads are removed, too. */
  removeOwner(id: string, owner: string): Promise<void> {
    return this.#nothing({ method: "DELETE", path: of(id, `/owners/${encodeURIComponent(owner)}`) });
  }
  /** Publishes the order of the rows. */
  publishOrder(id: string, ids: readonly string[]): Promise<void> {
    return this.#nothing({ method: "PUT", path: of(id, "/order"), json: { ids } });
  }
  /** Trains for some steps, or all that are left. */
  run(id: string, steps?: number): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { method: "POST", path: of(id, "/runs"), json: { steps } });
  }
  /** Ends a run after the step that computes. */
  pause(id: string): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { method: "POST", path: of(id, "/pause") });
  }
  /** Goes on with a run that was paused, interrupted, or failed. */
  resume(id: string): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { method: "POST", path: of(id, "/resume") });
  }
  /** Ends the training: the weights are ready for predictions. */
  finish(id: string): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { method: "POST", path: of(id, "/finish") });
  }
  /** The encrypted weights of the last checkpoint: a training weights file. */
  async weights(id: string, signal?: AbortSignal): Promise<Uint8Array> {
    return await (await this.transport.send({ path: of(id, "/weights"), signal })).bytes();
  }
  /** Goes on from refreshed weights. */
  putWeights(id: string, file: Uint8Array): Promise<TrainingSession> {
    return this.transport.json(sessionSchema, { method: "PUT", path: of(id, "/weights"), body: file });
  }
  /** Sends rows to a finished regression and returns an encrypted answers file. */
  async predict(id: string, file: Uint8Array): Promise<Uint8Array> {
    return await (await this.transport.send({ method: "POST", path: of(id, "/predictions"), body: file })).bytes();
  }

  /** What a data owner needs to encrypt its part (token of a data owner). */
  public(id: string): Promise<TrainingPublic> {
    return this.transport.json(publicSchema, { path: of(id, "/public") });
  }
  /** The published order of the rows. */
  order(id: string): Promise<{ digest: string; ids: string[] }> {
    return this.transport.json(orderSchema, { path: of(id, "/order") });
  }
  /** Says that this data owner's rows lie in the published order (token of a data owner). */
  confirmOrder(id: string, digest: string): Promise<void> {
    return this.#nothing({ method: "PUT", path: of(id, "/order"), json: { digest } });
  }
  /** Sends this data owner's part of a batch (token of a data owner). */
  putBatch(id: string, batch: number, file: Uint8Array, signal?: AbortSignal): Promise<z.infer<typeof batchSchema>> {
    return this.transport.json(batchSchema, { method: "PUT", path: of(id, `/batches/${batch}`), body: file, signal });
  }

  async #nothing(call: Call): Promise<void> {
    await (await this.transport.send(call)).body?.cancel();
  }
}

const ROOT = "/v1/training-sessions";
const of = (id: string, rest = "") => `${ROOT}/${encodeURIComponent(id)}${rest}`;

/** Between two questions. */
const POLL_MS = 500;

/**
 * Watches a session until it does not run; `onChange` sees it about twice a second.
 * @throws SottoError cancelled, internal with the session's failure, and what the calls throw.
 */
export async function followTraining(
  calls: Pick<TrainingCalls, "get">,
  id: string,
  options: { readonly signal?: AbortSignal; readonly onChange?: (session: TrainingSession) => Promise<void> | void } =
    {},
): Promise<TrainingSession> {
  for (;;) {
    const session = await calls.get(id, options.signal);
    await options.onChange?.(session);
    if (session.state === "failed") throw new SottoError("internal", `the training failed: ${session.failure}`);
    if (session.state !== "running") return session;
    if (options.signal?.aborted) throw new SottoError("cancelled", "the call was cancelled");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
