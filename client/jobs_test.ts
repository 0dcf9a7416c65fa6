import assert from "node:assert/strict";
import { SottoError } from "../errors.ts";
import { followJob, type Job, type JobCalls } from "./jobs.ts";

const job = (change: Partial<Job>): Job => ({
  id: "j",
  kind: "prediction",
  priority: "normal",
  parts: { done: 0, total: 1 },
  attempts: 0,
  model_id: "m",
  rows: 1,
  state: "running",
  progress: 0,
  estimated_seconds_left: 0,
  created_at: "",
  started_at: null,
  finished_at: null,
  ...change,
});

/** Calls that answer one after the other what they are given; the last answer stays. */
function script(...answers: (Job | SottoError)[]) {
  const deleted: string[] = [];
  const calls: JobCalls = {
    getJob() {
      const next = answers.length > 1 ? answers.shift()! : answers[0];
      return next instanceof SottoError ? Promise.reject(next) : Promise.resolve(next);
    },
    jobAnswers: () => Promise.resolve({ file: new Uint8Array([1]), serverMs: 2 }),
    deleteJob: (id) => Promise.resolve(void deleted.push(id)),
  };
  return { calls, deleted };
}

Deno.test("a job that fails on the server is its error here", async () => {
  const error = { code: "key_unknown", detail: "they were deleted" } as const;
  const { calls, deleted } = script(job({ state: "failed", error }));
  await assert.rejects(followJob(calls, "j"), { code: "key_unknown", message: "they were deleted" });
  assert.deepEqual(deleted, []);
});

Deno.test("a job that somebody else cancelled is cancelled here", async () => {
  const error = { code: "cancelled", detail: "the server stopped" } as const;
  const { calls } = script(job({}), job({ state: "cancelled", error }));
  await assert.rejects(followJob(calls, "j"), { code: "cancelled" });
});

Deno.test("an abort while it waits cancels the job on the server at once", async () => {
  const { calls, deleted } = script(job({}));
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(followJob(calls, "j", { signal: abort.signal }), { code: "cancelled" });
  assert.deepEqual(deleted, ["j"]);
});

Deno.test("a question without an answer is asked again, an unknown job is not", async () => {
  const lost = new SottoError("server_unreachable", "no answer");
  const { calls, deleted } = script(lost, job({ state: "succeeded", progress: 1 }));
  const { file } = await followJob(calls, "j");
  assert.deepEqual([file[0], deleted], [1, ["j"]]);
  const gone = script(new SottoError("job_unknown", "gone"));
  await assert.rejects(followJob(gone.calls, "j"), { code: "job_unknown" });
});
