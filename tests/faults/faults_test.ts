/** Each fault once. `deno task faults --runs 20` does it more often. */
import assert from "node:assert/strict";
import { faultsOf } from "./judge.ts";
import { runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

for (const scenario of SCENARIOS) {
  Deno.test(`after this fault everything acknowledged is there and the server works: ${scenario.name}`, async () => {
    const outcome = await runScenario(scenario, 1, () => undefined);
    if (outcome.skipped !== undefined) console.log(`not run: ${outcome.skipped}`);
    assert.deepEqual(faultsOf(outcome), []);
  });
}
