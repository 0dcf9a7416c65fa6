import assert from "node:assert/strict";
import fc from "fast-check";
import { type Job, secondsLeft } from "./job.ts";

const START = new Date("2026-03-01T12:00:00Z");

const job = (change: Partial<Job>): Job => ({
  id: "j",
  tenantId: "t",
  task: { model: {} as Job["task"]["model"], keyRows: [] },
  rowCount: 1,
  plannedSeconds: 100,
  state: "running",
  progress: 0,
  createdAt: START,
  startedAt: START,
  ...change,
});

const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

Deno.test("a job without a pace takes what its plan says, one with a pace what its pace says", () => {
  assert.equal(secondsLeft(job({ state: "queued", startedAt: undefined }), after(50)), 100);
  assert.equal(secondsLeft(job({ progress: 0.01 }), after(50)), 99);
  assert.equal(secondsLeft(job({ progress: 0.25 }), after(50)), 150);
  for (const state of ["succeeded", "failed", "cancelled"] as const) {
    assert.equal(secondsLeft(job({ state, progress: 0.5 }), after(50)), 0);
  }
});

Deno.test("no estimate is negative or endless", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(share, fc.nat(1_000_000), (progress, seconds) => {
    const left = secondsLeft(job({ progress }), after(seconds));
    assert.ok(left >= 0 && Number.isFinite(left));
  }));
});
