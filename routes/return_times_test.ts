import assert from "node:assert/strict";
import { ReturnTimes } from "./return_times.ts";

Deno.test("refused callers are told to come one after the other at the pace of free places, a minute from now at most", () => {
  const times = new ReturnTimes();
  const told = Array.from({ length: 5 }, () => times.next("ours", 400, 10_000));
  assert.deepEqual(told, [1, 1, 2, 2, 2]);
  assert.equal(times.next("theirs", 400, 10_000), 1);
  assert.equal(times.next("ours", 400, 12_000), 1);
  assert.equal(times.next("ours", 400_000, 12_000), 60);
  assert.equal(times.next("ours", 400_000, 12_000), 60);
});

Deno.test("times that have passed are forgotten when many tenants were told some", () => {
  const times = new ReturnTimes();
  for (let tenant = 0; tenant < 5000; tenant++) times.next(String(tenant), 100, tenant * 1000);
  assert.equal(times.next("0", 100, 5_000_000), 1);
});
