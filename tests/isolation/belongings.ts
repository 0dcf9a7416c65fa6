/** One object of every kind that a tenant can have, made over HTTP. */
import assert from "node:assert/strict";
import { newKeys, type OpenSecretKey, openSecretKey, serverFile } from "../../client/keys.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { batchesOf } from "../../circuits/training/mod.ts";
import { openPublicKey, sendBatches, trainingKeyFile } from "../../client/mod.ts";
import { callsOf as trainingOf, giveKeys, makeData, SPEC } from "../server/training_support.ts";
import { fixture, fixtureRows, type ImportedModel } from "../support/fixtures.ts";
import { call, type TestServer, type TestTenant } from "../support/server.ts";
import { until } from "../support/until.ts";

/** What an id can name. */
export type Kind = "key" | "model" | "job" | "session" | "owner" | "baseModel" | "fineTuning" | "token";

/** An id of each kind. */
export type Ids = Readonly<Record<Kind, string>>;

/** What one tenant has. */
export interface Belongings {
  readonly tenant: TestTenant;
  /** Its objects; `job` has ended well. */
  readonly ids: Ids;
  /** Of the scopes admin, predict and train, and of a data owner of `ids.session`. */
  readonly tokens: Readonly<Record<"admin" | "predict" | "train" | "dataOwner", string>>;
  readonly files: Readonly<Record<"keys" | "model" | "rows" | "trainingKeys", Uint8Array<ArrayBuffer>>>;
  readonly secret: OpenSecretKey;
  /** What must never be told to another tenant. */
  readonly words: readonly string[];
}

/** Rows of a job that the held back end holds. */
export const HELD_ROWS = 3;

/** How a tenant's objects are told apart: their names begin with `name`, `basePath` is the file of its base model. */
export interface Mark {
  readonly name: string;
  readonly basePath: string;
}

/** Makes everything; two tenants of different marks have no id in common. */
export async function makeBelongings(
  server: TestServer,
  tenant: TestTenant,
  { name, basePath }: Mark,
): Promise<Belongings> {
  const { secretFile, evaluationFile } = await newKeys(server.backend);
  const secret = await openSecretKey(server.backend, secretFile);
  const post = poster(server, tenant.admin);
  const files = { keys: bytes(evaluationFile), model: await modelFile(name) };
  const key: string = (await post("/v1/keys", files.keys)).id;
  await post("/v1/keys", bytes(await serverFile(server.backend, secret, "lookup3")));
  const model: ImportedModel = await post(`/v1/models?name=${name}-model&format=xgboost`, files.model);
  const rows = await rowsFile(server, secret, model, 1);
  const job = await finishedJob(server, tenant, `/v1/models/${model.id}/predictions?key=${key}`, rows);
  const training = await makeTraining(server, tenant, secret, name);
  const baseModel: string = (await post("/v1/base-models", { name: `${name}-base`, path: basePath })).id;
  const fineTuning: string =
    (await post("/v1/fine-tuning-sessions", { base_model: baseModel, masks: "cached", tokens_max: 16 })).id;
  const made = await post("/v1/tokens", { scopes: ["train"], days: 1 });
  const ids = { key, model: model.id, job, ...training.ids, baseModel, fineTuning, token: made.id };
  return {
    tenant,
    ids,
    secret,
    files: { ...files, rows, trainingKeys: training.keys },
    tokens: { admin: tenant.admin, predict: tenant.predict, train: made.token, dataOwner: training.token },
    words: [...Object.values(ids), secret.keyId.toHex(), tenant.id, `${name}-`],
  };
}

/** The id of a further job, which waits or runs until the held back end lets it go. */
export async function startHeldJob(server: TestServer, { tenant, ids, secret }: Belongings): Promise<string> {
  const model: ImportedModel = await (await call(server, `/v1/models/${ids.model}`, { token: tenant.admin })).json();
  const rows = await rowsFile(server, secret, model, HELD_ROWS);
  const path = `/v1/models/${ids.model}/predictions?key=${ids.key}`;
  return (await poster(server, tenant.admin)(path, rows, AS_JOB)).id;
}

const AS_JOB = { prefer: "respond-async" };
const bytes = (array: Uint8Array) => new Uint8Array(array);

/** Sends bytes or JSON with a token; demands success and returns the answer. */
export function poster(server: TestServer, token: string) {
  // deno-lint-ignore no-explicit-any -- answers of many routes
  return async (path: string, content: unknown, headers: Record<string, string> = {}): Promise<any> => {
    const binary = content instanceof Uint8Array;
    const body = binary ? content as Uint8Array<ArrayBuffer> : JSON.stringify(content);
    const type: Record<string, string> = binary ? {} : { "content-type": "application/json" };
    const answer = await call(server, path, { method: "POST", token, body, headers: { ...type, ...headers } });
    assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
    return await answer.json();
  };
}

/** Each tenant has a file, and so an id, of its own: spaces behind a model change nothing else. */
async function modelFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = new TextDecoder().decode(await fixture("wdbc_xgb_pruned.json"));
  return new TextEncoder().encode(text + " ".repeat(name.length));
}

async function rowsFile(server: TestServer, secret: OpenSecretKey, model: ImportedModel, count: number) {
  const rows = await fixtureRows("wdbc_rows.csv", count);
  return bytes((await encryptRows(server.backend, secret, model, rows)).file);
}

async function finishedJob(
  server: TestServer,
  tenant: TestTenant,
  path: string,
  rows: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const { id } = await poster(server, tenant.admin)(path, rows, AS_JOB);
  await until(async () => {
    const { state } = await (await call(server, `/v1/jobs/${id}`, { token: tenant.predict })).json();
    return state === "succeeded";
  });
  return id;
}

/** A session with a data owner that has sent its batches and knows the order of the rows; it does not run. */
async function makeTraining(server: TestServer, tenant: TestTenant, secret: OpenSecretKey, name: string) {
  const calls = trainingOf(server, tenant.admin);
  const data = makeData(4);
  const batchCount = batchesOf(SPEC, data.rows.length).length;
  const { id } = await calls.create({ name: `${name}-session`, spec: SPEC, batchCount });
  await giveKeys(calls, server.backend, id, secret);
  await calls.publishOrder(id, data.ids.map((row) => `${name}-${row}`));
  const added = await calls.addOwner(id, { name: `${name}-owner`, kind: "rows" });
  const owner = trainingOf(server, added.token);
  const shared = await owner.public(id);
  const publicKey = openPublicKey(server.backend, Uint8Array.fromBase64(shared.public_key!), shared.key_id!);
  await sendBatches(owner, server.backend, { publicKey }, shared, data);
  const keys = bytes(await trainingKeyFile(server.backend, secret));
  return { ids: { session: id, owner: added.id }, token: added.token, keys };
}
