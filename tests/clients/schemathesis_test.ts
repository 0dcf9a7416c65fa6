import assert from "node:assert/strict";
import { withKnownThings } from "./known_things.ts";
import { ENVIRONMENT, runSchemathesis } from "./schemathesis.ts";

/** The long form is `deno task schemathesis`. */
Deno.test("Schemathesis finds no server error and no answer that the OpenAPI document does not name", () =>
  withKnownThings(async (things) => {
    const { passed, cases, words } = await runSchemathesis(things, { examples: 3, seed: 1 });
    assert.ok(passed, words);
    assert.ok(cases >= 500, `only ${cases} cases were made`);
  }, ENVIRONMENT));
