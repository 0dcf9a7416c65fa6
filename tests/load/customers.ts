/** The tenants of a load run, and what their clients send: real encrypted rows, made once. */
import { decryptAnswers } from "../../client/decrypt.ts";
import { encryptRows } from "../../client/encrypt.ts";
import { SottoClient } from "../../client/http.ts";
import { newKeys, type OpenSecretKey, openSecretKey } from "../../client/keys.ts";
import type { Backend } from "../../circuits/backend.ts";
import { createTenant, createToken, type Database } from "../../db/mod.ts";
import { evaluate, importModel, predict } from "../../models/mod.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";

const MODEL = "wdbc_xgb50x3.json";

/** Rows of one request. */
export const SIZES = [1, 4, 16] as const;

/** A request that can be sent any number of times. */
export interface LoadRequest {
  readonly path: string;
  readonly token: string;
  readonly rows: number;
  readonly body: Uint8Array;
  readonly answerBytes: number;
  /** True when the decrypted answers are the labels of the clear model. */
  isRight(answers: Uint8Array): Promise<boolean>;
}

/** A tenant and one request of each size. */
export interface Customer {
  readonly name: string;
  readonly requests: readonly LoadRequest[];
}

/** Makes a tenant with a token for everything. */
export async function makeToken(database: Database, name: string): Promise<string> {
  const { id } = await createTenant(database, name);
  return (await createToken(database, { tenant: id, scopes: ["admin"], days: 1 })).token;
}

/** Registers keys and the model of a tenant, and encrypts its requests. */
export async function makeCustomer(url: string, backend: Backend, name: string, token: string): Promise<Customer> {
  const client = new SottoClient(url, token);
  const { secretFile, evaluationFile } = await newKeys(backend);
  const secret = await openSecretKey(backend, secretFile);
  const keys = await client.registerKeys(evaluationFile);
  const model = await client.importModel({ name, format: "xgboost", file: await fixture(MODEL) });
  const path = `/v1/models/${model.id}/predictions?key=${keys.id}`;
  const shared = { backend, secret, model, path, token, answers: answersOf(client, model.id, keys.id) };
  const requests: LoadRequest[] = [];
  for (const rows of SIZES) requests.push(await makeRequest(shared, rows));
  return { name, requests };
}

type TargetModel = Parameters<typeof encryptRows>[2];

interface Shared {
  readonly backend: Backend;
  readonly secret: OpenSecretKey;
  readonly model: TargetModel;
  readonly path: string;
  readonly token: string;
  readonly answers: (file: Uint8Array) => Promise<Uint8Array>;
}

const answersOf = (client: SottoClient, model: string, keys: string) => async (file: Uint8Array) =>
  (await client.predict({ model, keys, file })).file;

async function makeRequest({ backend, secret, model, path, token, answers }: Shared, count: number) {
  const rows = await fixtureRows("wdbc_rows.csv", count);
  const clear = importModel("xgboost", await fixture(MODEL), { bins: { kind: "model" } });
  const labels = rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label);
  const body = (await encryptRows(backend, secret, model, rows)).file;
  return {
    ...{ path, token, body, rows: count },
    answerBytes: (await answers(body)).length,
    async isRight(file: Uint8Array) {
      const found = await decryptAnswers(backend, secret, model, file);
      return found.length === count && found.every(({ label }, row) => label === labels[row]);
    },
  };
}
