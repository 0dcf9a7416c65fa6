import assert from "node:assert/strict";
import { TABLES } from "./mod.ts";

Deno.test("tables come after those that they name", () => {
  const place = (name: string) => TABLES.indexOf(name);
  for (const table of ["tokens", "models", "evaluation_keys", "training_sessions", "jobs"]) {
    assert.ok(place("tenants") >= 0 && place("tenants") < place(table), table);
  }
  assert.ok(place("jobs") < place("job_parts"));
  assert.ok(place("base_models") < place("fine_tuning_sessions"));
  assert.equal(new Set(TABLES).size, TABLES.length);
});
