import assert from "node:assert/strict";
import { agreementOf } from "../tests/fixtures/agreement.ts";
import { COMMITTED, readCases } from "../tests/fixtures/cases.ts";

for (const entry of readCases(COMMITTED)) {
  Deno.test(`${entry.name} evaluated in clear gives the labels and scores of the library that trained it`, () => {
    const { rows, sameLabels, deviation } = agreementOf(COMMITTED, entry);
    assert.ok(rows > 30);
    assert.equal(sameLabels, rows);
    assert.ok(deviation <= 1e-6, `largest deviation ${deviation}`);
  });
}
