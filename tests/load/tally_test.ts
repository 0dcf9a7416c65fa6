import assert from "node:assert/strict";
import { slopeOf } from "./memory_watch.ts";
import { Tally } from "./tally.ts";

Deno.test("a tally counts statuses, and rows and times of answered requests only", () => {
  const tally = new Tally();
  for (let ms = 1; ms <= 100; ms++) tally.add({ tenant: "a", rows: 2, status: 200, ms });
  tally.add({ tenant: "a", rows: 16, status: 429, ms: 9999 });
  tally.add({ tenant: "b", rows: 16, status: 0, ms: 9999 });
  assert.deepEqual(tally.statuses, { 0: 1, 200: 100, 429: 1 });
  assert.deepEqual([tally.requests, tally.rowsOf("a"), tally.rowsOf("b")], [102, 200, 0]);
  assert.deepEqual([tally.quantile(0.5), tally.quantile(0.99), tally.quantile(1)], [50, 99, 100]);
});

Deno.test("a tally that begins anew keeps statuses and forgets rows and times", () => {
  const tally = new Tally();
  tally.add({ tenant: "a", rows: 2, status: 200, ms: 500 });
  tally.restart();
  tally.add({ tenant: "a", rows: 1, status: 200, ms: 5 });
  assert.deepEqual([tally.statuses, tally.rowsOf("a"), tally.quantile(1)], [{ 200: 2 }, 1, 5]);
});

Deno.test("a tally without answers has no times", () => assert.ok(Number.isNaN(new Tally().quantile(0.5))));

Deno.test("the slope of memory is that of the line through its samples", () => {
  assert.equal(slopeOf([1, 2, 3, 4].map((second) => ({ second, bytes: 10 + 7 * second }))), 7);
  assert.equal(slopeOf([{ second: 1, bytes: 5 }]), 0);
});
