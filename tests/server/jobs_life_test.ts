import assert from "node:assert/strict";
import { decryptAnswers } from "../../client/decrypt.ts";
import { createApp } from "../../app.ts";
import { plainBackend } from "../../circuits/plain.ts";
import { SottoError } from "../../errors.ts";
import { fixture } from "../support/fixtures.ts";
import { heldBackend } from "../support/held_backend.ts";
import { assertProblem } from "../support/problem.ts";
import { call, collect, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { partObjects, prepare, XGBOOST } from "./jobs_support.ts";

Deno.test("a job that fails unforeseen is tried again, then tells its owner the id only, and the log has the rest", () => {
  const held = heldBackend();
  held.backend.evaluateLeaves = () => Promise.reject(new Error("detail of the inside"));
  return withServer(
    async (server) => {
      const { start, show } = await prepare(server);
      const id = await start();
      await until(async () => (await show(id)).state === "failed", 60);
      const job = await show(id);
      assert.deepEqual([job.error.code, job.attempts], ["internal", 4]);
      assert.ok(!JSON.stringify(job).includes("inside"));
      assert.ok(server.logged.some((line) => line.includes("detail of the inside") && line.includes(id)));
      assert.deepEqual(await partObjects(server), { inputs: 0, outputs: 0 });
    },
    {},
    held.backend,
  );
});

Deno.test("a part that fails once is computed again, and the job succeeds", () => {
  const held = heldBackend();
  const evaluate = held.backend.evaluateLeaves;
  let failures = 1;
  held.release();
  held.backend.evaluateLeaves = (...given) =>
    failures-- > 0 ? Promise.reject(new SottoError("out_of_memory", "the machine is full")) : evaluate(...given);
  return withServer(
    async (server) => {
      const { start, show } = await prepare(server);
      const id = await start();
      await until(async () => (await show(id)).state === "succeeded", 30);
      assert.equal((await show(id)).attempts, 2);
    },
    {},
    held.backend,
  );
});

Deno.test("a stop gives the jobs back to the queue, and the next server answers them", async () => {
  const held = heldBackend();
  await withServer(
    async (server) => {
      const { start, pair, model } = await prepare(server);
      const [running, queued] = [await start(), await start()];
      await until(() => held.waiting() === 1);
      await server.app.drain(0);
      assert.equal(held.waiting(), 0);
      await server.app.close();
      const next = createApp({ ...server, log: collect(server.logged), backend: plainBackend() });
      await next.start();
      const after = { ...server, app: next };
      const ask = (id: string, what = "") => call(after, `/v1/jobs/${id}${what}`, { token: server.ours.predict });
      await until(async () => (await (await ask(queued)).json()).state === "succeeded", 30);
      await until(async () => (await (await ask(running)).json()).state === "succeeded", 30);
      const answers = await (await ask(running, "/answers")).bytes();
      assert.equal((await decryptAnswers(server.backend, pair.secret, model, answers)).length, 3);
      await next.close();
    },
    {},
    held.backend,
  );
});

Deno.test("jobs are listed newest first, page by page, each tenant its own", () =>
  withServer(async (server) => {
    const { start, ended } = await prepare(server);
    const ids = [await start(), await start(), await start()];
    for (const id of ids) await ended(id);
    const list = async (query: string, token = server.ours.predict) => {
      return await (await call(server, `/v1/jobs${query}`, { token })).json();
    };
    const first = await list("?limit=2");
    assert.deepEqual(first.jobs.map(({ id }: { id: string }) => id), [ids[2], ids[1]]);
    const second = await list(`?limit=2&cursor=${first.next}`);
    assert.deepEqual([second.jobs.map(({ id }: { id: string }) => id), second.next], [[ids[0]], null]);
    assert.deepEqual((await list("", server.theirs.admin)).jobs, []);
    await assertProblem(
      await call(server, "/v1/jobs?cursor=x", { token: server.ours.predict }),
      "malformed_request",
      /cursor/,
    );
  }));

Deno.test("an import that nobody waits for is a job whose result is the model", () =>
  withServer(async (server) => {
    const send = async () =>
      await call(server, `/v1/models?name=m&format=xgboost`, {
        method: "POST",
        token: server.ours.admin,
        headers: { prefer: "respond-async" },
        body: await fixture(XGBOOST),
      });
    const accepted = await send();
    assert.equal(accepted.status, 202, await accepted.clone().text());
    const { id, kind } = await accepted.json();
    assert.equal(kind, "import");
    const show = async (job: string) =>
      await (await call(server, `/v1/jobs/${job}`, { token: server.ours.admin })).json();
    await until(async () => (await show(id)).state === "succeeded");
    const { result } = await show(id);
    assert.equal((await call(server, `/v1/models/${result}`, { token: server.ours.predict })).status, 200);
    const again = await (await send()).json();
    await until(async () => (await show(again.id)).state === "succeeded");
    assert.equal((await show(again.id)).result, result);
  }));

Deno.test("an import of what is no model fails with the reason", () =>
  withServer(async (server) => {
    const headers = { prefer: "respond-async" };
    const sent = { method: "POST", token: server.ours.admin, headers, body: "{}" };
    const { id } = await (await call(server, "/v1/models?name=m&format=xgboost", sent)).json();
    const show = async () => await (await call(server, `/v1/jobs/${id}`, { token: server.ours.admin })).json();
    await until(async () => (await show()).state === "failed");
    assert.equal((await show()).error.code, "malformed_file");
  }));

Deno.test("a finished job is forgotten when its time has run out", () =>
  withServer(async (server) => {
    const { start, ended, on } = await prepare(server);
    const id = await start();
    await ended(id);
    await until(async () => (await on(id)).status === 404);
    await until(async () => (await partObjects(server)).outputs === 0);
  }, { jobRetentionMinutes: 0.01 }));
