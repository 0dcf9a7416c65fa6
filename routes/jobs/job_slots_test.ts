import assert from "node:assert/strict";
import { JobSlots } from "./job_slots.ts";

Deno.test("slots are bounded for each tenant and for all, and come back once", () => {
  const slots = new JobSlots({ queuedJobs: 3, jobsPerTenant: 2 });
  slots.take("1", "ours");
  slots.take("2", "ours");
  assert.throws(() => slots.take("3", "ours"), { code: "quota_exceeded" });
  slots.take("3", "theirs");
  assert.throws(() => slots.take("4", "theirs"), { code: "busy" });
  slots.free("1");
  slots.free("1");
  slots.take("4", "theirs");
  assert.throws(() => slots.take("5", "ours"), { code: "busy" });
});
