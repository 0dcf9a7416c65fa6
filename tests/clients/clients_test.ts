import assert from "node:assert/strict";
import { accessOf, runPythonClient, runTypescriptClient } from "./generate.ts";
import { withKnownThings } from "./known_things.ts";

Deno.test("clients that generators make from the OpenAPI document predict, follow jobs and read problems", async (t) => {
  await withKnownThings(async (things) => {
    const folder = await Deno.makeTempDir({ prefix: "sotto-generated-" });
    const access = accessOf(things);
    await t.step("openapi-typescript and openapi-fetch", async () => {
      assert.match(await runTypescriptClient(folder, access), /^answers: \d+ bytes$/m);
    });
    await t.step("openapi-python-client", async () => {
      assert.match(await runPythonClient(folder, access), /^answers: \d+ bytes$/m);
    });
    await Deno.remove(folder, { recursive: true });
  });
});
