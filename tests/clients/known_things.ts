/** A live server with things in it, and the files that a client in another language needs: it has no cryptography of its own. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { plainBackend } from "../../circuits/plain.ts";
import {
  encryptRows,
  newKeys,
  openSecretKey,
  publicKeyFile,
  serverFile,
  SottoClient,
  trainingKeyFile,
} from "../../client/mod.ts";
import { SPEC } from "../server/training_support.ts";
import { fixture, fixtureRows } from "../support/fixtures.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";

/** A tree model that every client imports. */
export const MODEL = { file: "wdbc_xgb50x3.json", format: "xgboost", rows: "wdbc_rows.csv", rowCount: 8 } as const;

/** What a client works with. */
export interface KnownThings {
  readonly server: ServerProcess;
  /** Holds `model.json`, `evaluation.key`, `lookup.key`, `rows.sotto`, `public.key`, `training.key`. */
  readonly files: string;
  /** Ids of things on the server by the beginning of their paths. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
}

/** Starts a server process, registers keys, imports a model, makes one thing of each other kind; removes all afterwards. */
export async function withKnownThings(
  work: (things: KnownThings) => Promise<void>,
  environment: Record<string, string> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-clients-" });
  const base = { SOTTO_BASE_MODELS: fileURLToPath(new URL("../fixtures/language", import.meta.url)) };
  const server = await startServerProcess(join(folder, "data"), { ...base, ...environment });
  try {
    const files = join(folder, "files");
    await Deno.mkdir(files);
    await work({ server, files, ids: await makeThings(server, files) });
  } finally {
    await server.end("SIGTERM");
    await Deno.remove(folder, { recursive: true });
  }
}

async function makeThings({ url, token }: ServerProcess, files: string): Promise<KnownThings["ids"]> {
  const backend = plainBackend();
  const client = new SottoClient(url, token);
  const { secretFile, evaluationFile } = await newKeys(backend);
  const secret = await openSecretKey(backend, secretFile);
  const keys = [await client.registerKeys(evaluationFile)];
  const file = await fixture(MODEL.file);
  const model = await client.importModel({ name: "tumours", format: MODEL.format, file });
  const rows = (await encryptRows(backend, secret, model, await fixtureRows(MODEL.rows, MODEL.rowCount))).file;
  const lookupFile = await serverFile(backend, secret, "lookup3");
  keys.push(await client.registerKeys(lookupFile));
  const made: Record<string, Uint8Array> = {
    "model.json": file,
    "evaluation.key": evaluationFile,
    "lookup.key": lookupFile,
    "rows.sotto": rows,
    "public.key": publicKeyFile(backend, secret),
    "training.key": await trainingKeyFile(backend, secret),
  };
  for (const [name, bytes] of Object.entries(made)) await Deno.writeFile(join(files, name), bytes);
  return {
    "/v1/keys": keys.map(({ id }) => id),
    "/v1/models": [model.id],
    "/v1/jobs": [await makeJob({ url, token }, model.id, keys[0].id, rows)],
    "/v1/training-sessions": [await makeTraining(client, made["public.key"], made["training.key"])],
    ...await makeFineTuning(client),
  };
}

async function makeJob(
  { url, token }: Pick<ServerProcess, "url" | "token">,
  model: string,
  key: string,
  rows: Uint8Array,
): Promise<string> {
  const answer = await fetch(`${url}/v1/models/${model}/predictions?key=${key}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, prefer: "respond-async", "content-type": "application/octet-stream" },
    body: new Uint8Array(rows),
  });
  return (await answer.json()).id;
}

/** A session that waits for its data. */
async function makeTraining({ training }: SottoClient, publicKey: Uint8Array, trainingKey: Uint8Array) {
  const { id } = await training.create({ name: "made", spec: SPEC, batchCount: 2 });
  await training.putKeys(id, trainingKey);
  await training.putKeys(id, publicKey);
  await training.addOwner(id, { name: "all", kind: "rows" });
  return id;
}

async function makeFineTuning({ fineTuning }: SottoClient): Promise<KnownThings["ids"]> {
  const base = await fineTuning.registerBaseModel({ name: "tiny", path: "tiny.gguf" });
  const session = await fineTuning.createSession({ baseModel: base.id });
  return { "/v1/base-models": [base.id], "/v1/fine-tuning-sessions": [session.id] };
}
