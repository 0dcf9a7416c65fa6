import assert from "node:assert/strict";
import fc from "fast-check";
import { secondsUntilDone } from "./estimate.ts";

const START = new Date("2026-03-01T12:00:00Z");
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);
const fresh = { progress: 0, secondsLeft: 100, parts: 4, done: 0 };
const alone = { workers: 1, secondsBefore: 0 };

Deno.test("a job without a pace takes what its plan says, shared by the workers, after what comes before it", () => {
  const queued = { state: "queued" as const, startedAt: null };
  assert.equal(secondsUntilDone(queued, fresh, alone, after(50)), 100);
  assert.equal(secondsUntilDone(queued, fresh, { workers: 2, secondsBefore: 60 }, after(50)), 80);
  assert.equal(secondsUntilDone(queued, { ...fresh, parts: 1 }, { workers: 8, secondsBefore: 0 }, after(0)), 100);
  assert.equal(secondsUntilDone(queued, fresh, { workers: 0, secondsBefore: 0 }, after(0)), 100);
});

Deno.test("a job with a pace takes what its pace says, and one that has ended nothing", () => {
  const running = { state: "running" as const, startedAt: START };
  assert.equal(secondsUntilDone(running, { ...fresh, progress: 0.25 }, alone, after(50)), 150);
  for (const state of ["succeeded", "failed", "cancelled"] as const) {
    assert.equal(secondsUntilDone({ state, startedAt: START }, { ...fresh, progress: 0.5 }, alone, after(50)), 0);
  }
});

Deno.test("no estimate is negative or endless", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(share, fc.nat(1_000_000), fc.nat(50), (progress, seconds, workers) => {
    const job = { state: "running" as const, startedAt: START };
    const left = secondsUntilDone(job, { ...fresh, progress }, { workers, secondsBefore: 0 }, after(seconds));
    assert.ok(left >= 0 && Number.isFinite(left));
  }));
});
