/** Training sessions on the test server: made, filled and run through the client. */
import type { Backend } from "../../circuits/backend.ts";
import { batchesOf, parseTrainingSpec, type TrainingSpec } from "../../circuits/training/mod.ts";
import {
  newKeys,
  type OpenSecretKey,
  openSecretKey,
  publicKeyFile,
  sendBatches,
  serverFile,
  TrainingCalls,
  trainingKeyFile,
  type TrainingSession,
} from "../../client/mod.ts";
import { isSottoError, SottoError } from "../../errors.ts";
import { call, type TestServer } from "../support/server.ts";

/** A small logistic regression on three features. */
export const SPEC: TrainingSpec = parseTrainingSpec({
  kind: "logistic",
  classes: ["no", "yes"],
  features: ["a", "b", "c"].map((name) => ({ name, min: -1, max: 1 })),
  batch_size: 4,
  steps: 12,
  learning_rate: { schedule: "constant", rate: 1 },
  seed: 5,
});

/** Rows whose class is the sign of a - b; seeded by their number. */
export function makeData(count: number): { rows: number[][]; targets: number[]; ids: string[] } {
  const rows = Array.from(
    { length: count },
    (_, i) => [0, 1, 2].map((f) => Math.round(1000 * Math.sin(7 * i + 3 * f + 1)) / 1000),
  );
  return { rows, targets: rows.map(([a, b]) => Number(a > b)), ids: rows.map((_, i) => `row-${i}`) };
}

/** The calls of training sessions with a token, without a network. */
export function callsOf(server: TestServer, token: string): TrainingCalls {
  const send: ConstructorParameters<typeof TrainingCalls>[0]["send"] = async ({ path, method, json, body, signal }) => {
    const headers: Record<string, string> = json === undefined ? {} : { "content-type": "application/json" };
    const content = json === undefined ? body as BodyInit | undefined : JSON.stringify(json);
    const response = await call(server, path, { method, token, headers, body: content, signal });
    if (response.ok) return response;
    const { code, detail } = await response.json();
    throw new SottoError(code, detail);
  };
  return new TrainingCalls({ send, json: async (schema, request) => schema.parse(await (await send(request)).json()) });
}

/** The code of the error that a call ends with; `none` when it succeeds. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (isSottoError(error)) return error.code;
    throw error;
  }
}

/** A key pair whose lookup keys are registered with the server. */
export async function makeSecret(server: TestServer, token: string): Promise<OpenSecretKey> {
  const { secretFile } = await newKeys(server.backend, { capabilities: [] });
  const secret = await openSecretKey(server.backend, secretFile);
  const body = await serverFile(server.backend, secret, "lookup3") as BodyInit;
  const answer = await call(server, "/v1/keys", { method: "POST", token, body });
  if (!answer.ok) throw new Error(await answer.text());
  return secret;
}

/** Sends both key files of a session. */
export async function giveKeys(calls: TrainingCalls, backend: Backend, id: string, secret: OpenSecretKey) {
  await calls.putKeys(id, await trainingKeyFile(backend, secret));
  return await calls.putKeys(id, publicKeyFile(backend, secret));
}

/** A session that is ready to run: one owner of all rows, whose batches are there. */
export async function readySession(
  server: TestServer,
  options: { readonly spec?: TrainingSpec; readonly rows?: number; readonly checkpointEvery?: number } = {},
): Promise<{ calls: TrainingCalls; session: TrainingSession; secret: OpenSecretKey; owner: TrainingCalls }> {
  const { spec = SPEC, rows = 14, checkpointEvery } = options;
  const calls = callsOf(server, server.ours.admin);
  const secret = await makeSecret(server, server.ours.admin);
  const { id } = await calls.create({
    name: "made",
    spec,
    batchCount: batchesOf(spec, rows).length,
    checkpointEvery,
  });
  await giveKeys(calls, server.backend, id, secret);
  const { token } = await calls.addOwner(id, { name: "all", kind: "rows" });
  const owner = callsOf(server, token);
  await sendBatches(owner, server.backend, { secretKey: secret.key }, await owner.public(id), makeData(rows));
  return { calls, session: await calls.get(id), secret, owner };
}
