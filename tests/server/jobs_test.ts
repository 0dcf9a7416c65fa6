import assert from "node:assert/strict";
import { decryptAnswers } from "../../client/decrypt.ts";
import { evaluate, importModel, predict } from "../../models/mod.ts";
import { fixture, fixtureRows, rowsFile, withFlippedByte } from "../support/fixtures.ts";
import { assertProblem } from "../support/problem.ts";
import { call, withServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { partObjects, prepare, storedObjects, withHeld, XGBOOST } from "./jobs_support.ts";

Deno.test("a prediction that should not be waited for becomes a job with the same answers", () =>
  withServer(async (server) => {
    const { model, pair, rows, post, on, show, ended, remove } = await prepare(server, 143);
    const accepted = await post();
    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers.get("preference-applied"), "respond-async");
    const job = await accepted.json();
    assert.equal(accepted.headers.get("location"), `/v1/jobs/${job.id}`);
    assert.deepEqual([job.kind, job.model_id, job.rows, job.priority], ["prediction", model.id, 143, "normal"]);
    await ended(job.id);
    const done = await show(job.id);
    assert.deepEqual([done.state, done.progress, done.estimated_seconds_left], ["succeeded", 1, 0]);
    assert.ok(done.created_at <= done.started_at && done.started_at <= done.finished_at);
    const clear = importModel("xgboost", await fixture(XGBOOST), { bins: { kind: "model" } });
    for (let time = 0; time < 2; time++) {
      const answers = await on(job.id, "/answers");
      assert.match(answers.headers.get("sotto-server-ms") ?? "", /^\d+\.\d{3}$/);
      const bytes = await answers.bytes();
      assert.equal(answers.headers.get("content-length"), String(bytes.length));
      const found = await decryptAnswers(server.backend, pair.secret, model, bytes);
      const expected = rows.map((row) => predict(clear.output, evaluate(clear, row).margins).label);
      assert.deepEqual(found.map(({ label }) => label), expected);
    }
    assert.deepEqual(await partObjects(server), { inputs: 0, outputs: 1 });
    const before = await storedObjects(server);
    await remove(job.id);
    assert.equal(await storedObjects(server), before - 1);
    await assertProblem(await on(job.id), "job_unknown");
    await assertProblem(await on(job.id, "/answers"), "job_unknown");
  }));

Deno.test("a prediction whose estimate is longer than the server answers at once becomes a job by itself", () =>
  withServer(async (server) => {
    const { post, ended } = await prepare(server);
    const accepted = await post(undefined, { headers: {} });
    assert.equal(accepted.status, 202);
    assert.equal(accepted.headers.get("preference-applied"), null);
    await ended((await accepted.json()).id);
  }, { synchronousSeconds: 0 }));

Deno.test("rows that are damaged never become a job", () =>
  withServer(async (server) => {
    const { file, post } = await prepare(server);
    const before = await storedObjects(server);
    await assertProblem(await post(withFlippedByte(file)), "digest_mismatch");
    await assertProblem(await post(file.slice(0, -1)), "malformed_file");
    assert.equal(await storedObjects(server), before);
    const { jobs } = await (await call(server, "/v1/jobs", { token: server.ours.predict })).json();
    assert.deepEqual(jobs, []);
  }, { partRows: 2 }));

Deno.test("progress inside a chunk, estimates and the order of jobs are shown", () =>
  withHeld(async (server, held) => {
    const { show, start, ended, on } = await prepare(server);
    const [first, second] = [await start(), await start()];
    await until(() => held.waiting() === 1);
    assert.equal((await show(second)).state, "queued");
    held.progress(0.5);
    await until(async () => (await show(first)).progress === 0.5);
    const half = await show(first);
    assert.equal(half.state, "running");
    assert.ok((await show(second)).estimated_seconds_left >= half.estimated_seconds_left);
    await assertProblem(await on(first, "/answers"), "job_unfinished");
    held.release();
    await ended(second);
    assert.equal((await show(first)).state, "succeeded");
  }));

Deno.test("events tell every change until the end", () =>
  withHeld(async (server, held) => {
    const { start, on } = await prepare(server);
    const id = await start();
    await until(() => held.waiting() === 1);
    const answer = await on(id, "/events");
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    setTimeout(() => held.progress(0.25), 200);
    setTimeout(held.release, 2500);
    const text = await answer.text();
    const events = text.trim().split("\n\n").map((event) => event.split("\n"));
    assert.ok(events.every(([name]) => name === "event: job"), text);
    const jobs = events.map(([, data]) => JSON.parse(data.replace("data: ", "")));
    assert.equal(jobs[0].state, "running");
    assert.ok(jobs.some(({ progress }) => progress === 0.25));
    assert.equal(jobs.at(-1).state, "succeeded");
    assert.ok(jobs.length <= 8);
  }));

Deno.test("a reader of events that leaves does no harm", () =>
  withHeld(async (server, held) => {
    const { start, on, ended } = await prepare(server);
    const id = await start();
    const reader = (await on(id, "/events")).body!.getReader();
    await reader.read();
    await reader.cancel();
    held.release();
    await ended(id);
  }));

Deno.test("deleting a job stops the back end, and a waiting job never starts", () =>
  withHeld(async (server, held) => {
    const { start, remove, show, on } = await prepare(server);
    const [running, queued] = [await start(), await start()];
    await until(() => held.waiting() === 1);
    await remove(queued);
    await remove(running);
    assert.equal(held.waiting(), 0);
    assert.deepEqual(await partObjects(server), { inputs: 0, outputs: 0 });
    for (const id of [running, queued]) {
      const job = await show(id);
      assert.deepEqual([job.state, job.error.code], ["cancelled", "cancelled"]);
      await assertProblem(await on(id, "/answers"), "conflict", /owner cancelled/);
    }
    await remove(running);
    await assertProblem(await on(running), "job_unknown");
  }));

Deno.test("another tenant's job does not exist", () =>
  withHeld(async (server, held) => {
    const { start, on, ended } = await prepare(server);
    const id = await start();
    const token = server.theirs.admin;
    for (const what of ["", "/events", "/answers"]) await assertProblem(await on(id, what, { token }), "job_unknown");
    await assertProblem(await on(id, "", { token, method: "DELETE" }), "job_unknown");
    await assertProblem(await on("nothing"), "malformed_request", /id: /);
    held.release();
    await ended(id);
  }));

Deno.test("a short prediction gets its turn between the chunks of a job, though one thing computes at a time", () =>
  withHeld(async (server, held) => {
    const counts: number[] = [];
    const evaluate = held.backend.evaluateLeaves;
    held.backend.evaluateLeaves = (matrix, keys, rows, shape, options) => {
      counts.push(shape.rowCount);
      return evaluate(matrix, keys, rows, shape, options);
    };
    const { post, ended, model, pair } = await prepare(server);
    const some = await fixtureRows("wdbc_rows.csv", 143);
    const many = await rowsFile(server, pair, model, [...some, ...some]);
    const { id } = await (await post(many)).json();
    await until(() => held.waiting() === 1);
    const short = post(undefined, { headers: {} });
    await new Promise((resolve) => setTimeout(resolve, 50));
    held.release();
    assert.equal((await short).status, 200);
    await ended(id);
    assert.equal(counts[1], 3, String(counts));
    assert.equal(counts.length, 3);
    await (await short).body?.cancel();
  }, { concurrentPredictions: 1 }));

Deno.test("short predictions are answered while a job computes", () =>
  withHeld(
    async (server, held) => {
      const { start, post, file, ended, show } = await prepare(server, 20);
      const short = await prepare(server);
      const id = await start();
      await until(() => held.waiting() === 1);
      const answer = await short.post(short.file, { headers: {} });
      assert.equal(answer.status, 200);
      await answer.body?.cancel();
      assert.equal((await show(id)).state, "running");
      held.release();
      await ended(id);
      assert.equal((await post(file, { headers: {} })).status, 200);
    },
    { concurrentPredictions: 2 },
    10,
  ));

Deno.test("a tenant has so many jobs, the server too, and their disk is bounded", async (t) => {
  const refused = (sentence: string, settings: object, code: "busy" | "quota_exceeded", detail: RegExp) =>
    t.step(sentence, () =>
      withHeld(async (server, held) => {
        const { start, post, ended } = await prepare(server);
        const first = await start();
        await assertProblem(await post(), code, detail);
        held.release();
        await ended(first);
        const again = await post();
        if (settings && "jobSpoolBytes" in settings) return assert.equal(again.status, 503);
        assert.equal(again.status, 202);
        await ended((await again.json()).id);
      }, settings));
  await refused("jobs of a tenant", { jobsPerTenant: 1 }, "quota_exceeded", /1 unfinished jobs/);
  await refused("jobs of the server", { queuedJobs: 1 }, "busy", /as many jobs/);
  await refused("disk", { jobSpoolBytes: 60_000 }, "busy", /disk .* full/);
});

Deno.test("a job whose model or keys are deleted while it waits fails and says so", () =>
  withHeld(async (server, held) => {
    const { start, ended, show, pair } = await prepare(server);
    const [first, second] = [await start(), await start()];
    await until(() => held.waiting() === 1);
    const removed = await call(server, `/v1/keys/${pair.id}`, { method: "DELETE", token: server.ours.predict });
    assert.equal(removed.status, 204);
    held.release();
    await ended(second);
    assert.equal((await show(first)).state, "succeeded");
    assert.deepEqual([(await show(second)).state, (await show(second)).error.code], ["failed", "key_unknown"]);
  }));
