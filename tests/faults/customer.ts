/** A client that uploads, imports, predicts and submits jobs without a pause, whatever happens to the server. */
import { plainBackend } from "../../circuits/plain.ts";
import { decodeFile } from "../../circuits/wire.ts";
import { decryptAnswers } from "../../client/decrypt.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { newKeys, type OpenSecretKey, openSecretKey } from "../../client/keys.ts";
import { evaluate, importModel, predict } from "../../models/mod.ts";
import { fixture, fixtureRows, type ImportedModel, withHeader } from "../support/fixtures.ts";
import type { AcknowledgedJob, Ledger } from "./ledger.ts";

const MODEL = "wdbc_xgb_pruned.json";
/** Jobs that may be unfinished when a further one is submitted. */
const UNFINISHED_JOBS = 3;
/** A refused client waits as it was told, but no longer than this. */
const PATIENCE_MS = 2000;
const SHORT_ROWS = 2, JOB_ROWS = 6;

/** Where the server is at the moment; changes when it is started again. */
export interface Address {
  readonly url: string;
  readonly token: string;
}

/** What a client prepares once. */
export interface Prepared {
  readonly backend: ReturnType<typeof plainBackend>;
  readonly secret: OpenSecretKey;
  readonly model: ImportedModel;
  readonly path: string;
  readonly evaluationFile: Uint8Array;
  readonly modelText: string;
  readonly short: Uint8Array<ArrayBuffer>;
  readonly long: Uint8Array<ArrayBuffer>;
  readonly labels: readonly unknown[];
}

/** Registers keys and a model, and encrypts rows. */
export async function prepareCustomer(address: Address): Promise<Prepared> {
  const backend = plainBackend();
  const { secretFile, evaluationFile } = await newKeys(backend);
  const secret = await openSecretKey(backend, secretFile);
  const file = await fixture(MODEL);
  const key = await demand(address, "/v1/keys", new Uint8Array(evaluationFile));
  const model = await demand(address, "/v1/models?name=first&format=xgboost", file);
  const rows = await fixtureRows("wdbc_rows.csv", JOB_ROWS);
  const encrypt = async (count: number) =>
    new Uint8Array((await encryptRows(backend, secret, model, rows.slice(0, count))).file);
  const clear = importModel("xgboost", file, { bins: { kind: "model" } });
  return {
    ...{ backend, secret, model, evaluationFile },
    path: `/v1/models/${model.id}/predictions?key=${key.id}`,
    modelText: new TextDecoder().decode(file),
    short: await encrypt(SHORT_ROWS),
    long: await encrypt(JOB_ROWS),
    labels: rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label),
  };
}

// deno-lint-ignore no-explicit-any -- answers of many routes
async function demand(address: Address, path: string, body: Uint8Array<ArrayBuffer>): Promise<any> {
  const answer = await send(address, path, { method: "POST", body });
  if (!answer?.ok) throw new Error(`${path}: ${answer?.status} ${await answer?.text()}`);
  return await answer.json();
}

/** Nothing when the connection failed. */
export async function send(
  { url, token }: Address,
  path: string,
  init: RequestInit = {},
): Promise<Response | undefined> {
  const headers = { authorization: `Bearer ${token}`, ...init.headers };
  const signal = AbortSignal.timeout(60_000);
  try {
    const answer = await fetch(url + path, { ...init, headers, signal });
    // The whole body, so that a connection that breaks later is noticed here.
    return new Response(answer.status === 204 ? null : await answer.bytes(), answer);
  } catch {
    return undefined;
  }
}

/** True when answers decrypt to the labels of the clear model. */
export async function areRight({ backend, secret, model, labels }: Prepared, file: Uint8Array): Promise<boolean> {
  const found = await decryptAnswers(backend, secret, model, file);
  return found.every(({ label }, row) => label === labels[row]);
}

/** The four loops; `stop` ends them after the request that each of them is at. */
export class Customer {
  #running = true;
  readonly #loops: Promise<void>;
  static #uploads = 0;

  /** @param address asked before every request */
  constructor(readonly prepared: Prepared, private readonly address: () => Address, private readonly ledger: Ledger) {
    const work = [() => this.#uploadKeys(), () => this.#importModel(), () => this.#predict(), () => this.#submitJob()];
    this.#loops = Promise.all(work.map((once) => this.#repeat(once))).then(() => undefined);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#loops;
  }

  async #repeat(once: () => Promise<void>): Promise<void> {
    while (this.#running) {
      await once();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #uploadKeys(): Promise<void> {
    const file = withHeader(this.prepared.evaluationFile, { keyId: crypto.getRandomValues(new Uint8Array(32)) });
    if (await this.#post("/v1/keys", file) !== undefined) this.ledger.keys.add(decodeFile(file).digest);
  }

  /** The same model with more spaces behind it is another model to the server. */
  async #importModel(): Promise<void> {
    const file = new TextEncoder().encode(this.prepared.modelText + " ".repeat(++Customer.#uploads));
    const answer = await this.#post("/v1/models?name=fault&format=xgboost", file);
    if (answer !== undefined) this.ledger.models.add((await answer.json()).id);
  }

  async #predict(): Promise<void> {
    const answer = await this.#post(this.prepared.path, this.prepared.short);
    if (answer === undefined) return;
    this.ledger.predictions++;
    if (!(await areRight(this.prepared, await answer.bytes()))) this.ledger.wrong++;
  }

  /** A submission whose answer was lost is sent again with its key, as a careful client does. */
  async #submitJob(): Promise<void> {
    for (const job of this.ledger.unfinished) await lookAt(this.address(), job);
    if (this.ledger.unfinished.length >= UNFINISHED_JOBS) return;
    const key = crypto.randomUUID();
    while (this.#running) {
      const answer = await this.#post(this.prepared.path, this.prepared.long, jobHeaders(key));
      if (answer !== undefined) {
        const { id } = await answer.json();
        this.ledger.jobs.set(id, { id, key });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #post(path: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
    const answer = await send(this.address(), path, { method: "POST", body, headers });
    if (answer === undefined || answer.ok) return answer;
    this.ledger.refused(answer.status, (await answer.json()).code);
    const seconds = Number(answer.headers.get("retry-after") ?? 0);
    await new Promise((resolve) => setTimeout(resolve, Math.min(seconds * 1000, PATIENCE_MS)));
    return undefined;
  }
}

/** Notes how a job ended and what its answers were; returns the status of the answer. */
export async function lookAt(address: Address, job: AcknowledgedJob): Promise<number> {
  const answer = await send(address, `/v1/jobs/${job.id}`);
  if (!answer?.ok) return answer?.status ?? 0;
  const { state, error } = await answer.json();
  if (state === "queued" || state === "running") return answer.status;
  if (state === "succeeded") {
    const answers = await send(address, `/v1/jobs/${job.id}/answers`);
    if (!answers?.ok) return answers?.status ?? 0;
    job.answers ??= await digestOf(await answers.bytes());
  }
  job.ended = state;
  job.reason = error?.code;
  return answer.status;
}

/** Asks for a job that the same key always names. */
export const jobHeaders = (key: string) => ({ prefer: "respond-async", "idempotency-key": key });

/** SHA-256 in hex. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
