import assert from "node:assert/strict";
import { runSteps, STEPS } from "./gpu_run.ts";

Deno.test("steps run in order, and those that the time no longer allows are skipped with a reason", async () => {
  let clock = 0;
  const started: string[] = [];
  const reports = await runSteps(
    (args) => {
      started.push(args.join(" "));
      clock += 200_000;
      return Promise.resolve({ code: started.length === 2 ? 1 : 0, text: "done" });
    },
    () => clock,
  );
  assert.deepEqual(reports.map(({ outcome }) => outcome), ["passed", "failed", "skipped", "skipped"]);
  assert.deepEqual(reports.map(({ name }) => name), STEPS.map(({ name }) => name));
  assert.equal(reports[2].text, "80 s are left");
  assert.equal(started.length, 2);
});
