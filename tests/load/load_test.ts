import assert from "node:assert/strict";
import { faultsOf } from "./judge.ts";
import { runLoad } from "./load_run.ts";

Deno.test("a hundred clients of two tenants get right answers or are told when to come again", async () => {
  const figures = await runLoad({ clients: 100, seconds: 20 });
  assert.deepEqual(faultsOf(figures), []);
  assert.ok(figures.rowsPerSecond > 0 && figures.fairness > 0);
});
