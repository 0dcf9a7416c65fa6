/** Jobs on the test server: what they are made of, and back ends that wait. */
import assert from "node:assert/strict";
import { jobParts } from "../../db/schema.ts";
import { fixtureRows, importFixture, registerPair, rowsFile } from "../support/fixtures.ts";
import { type HeldBackend, heldBackend } from "../support/held_backend.ts";
import { call, type TestCall, type TestServer, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";

export const XGBOOST = "wdbc_xgb50x3.json";

/** A prepared server: a tree model, a key pair, and calls on jobs. */
export async function prepare(server: TestServer, rowCount = 3) {
  const model = await importFixture(server, XGBOOST, "xgboost");
  const pair = await registerPair(server);
  const rows = await fixtureRows("wdbc_rows.csv", rowCount);
  const file = await rowsFile(server, pair, model, rows);
  const path = `/v1/models/${model.id}/predictions?key=${pair.id}`;
  const token = server.ours.predict;
  const post = (body: BodyInit = file, change: TestCall = {}) =>
    call(server, path, { method: "POST", token, body, headers: { prefer: "respond-async" }, ...change });
  const on = (id: string, what = "", change: TestCall = {}) =>
    call(server, `/v1/jobs/${id}${what}`, { token, ...change });
  const show = async (id: string) => await (await on(id)).json();
  const start = async () => (await (await post()).json()).id as string;
  const ended = (id: string) => until(async () => !["queued", "running"].includes((await show(id)).state));
  const remove = async (id: string) => assert.equal((await on(id, "", { method: "DELETE" })).status, 204);
  return { model, pair, rows, file, path, post, on, show, start, ended, remove };
}

export const withHeld = (
  work: (server: TestServer, held: HeldBackend) => Promise<void>,
  settings = {},
  heldRows?: number,
) => {
  const held = heldBackend(heldRows);
  return withServer((server) => work(server, held).finally(held.release), settings, held.backend);
};

/** Objects that parts of jobs name, and that lie in the store. */
export async function partObjects({ database, store }: TestServer): Promise<{ inputs: number; outputs: number }> {
  const rows = await database.queries.select({ input: jobParts.inputObject, output: jobParts.outputObject }).from(
    jobParts,
  );
  const there = async (objects: (string | null)[]) => {
    const found = await Promise.all(objects.map((object) => object !== null && store.has(object)));
    return found.filter(Boolean).length;
  };
  return {
    inputs: await there(rows.map(({ input }) => input)),
    outputs: await there(rows.map(({ output }) => output)),
  };
}

/** Objects in the store, whoever names them. */
export async function storedObjects({ store }: TestServer): Promise<number> {
  let count = 0;
  for await (const _object of store.list()) count++;
  return count;
}
