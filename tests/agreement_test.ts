import assert from "node:assert/strict";
import { openBackend } from "../ffi/mod.ts";
import { encryptedAgreement, makeKeys, SCORE_TOLERANCE } from "./agreement.ts";
import { COMMITTED, readCases } from "./fixtures/cases.ts";

/** Rows of each fixture; `deno task agreement` takes all. */
const ROWS = 48;

Deno.test("every fixture predicted on ciphertexts gives the labels and scores of the library that trained it", async (t) => {
  const backend = openBackend();
  const keys = await makeKeys(backend);
  for (const entry of readCases(COMMITTED)) {
    await t.step(entry.name, async () => {
      const result = await encryptedAgreement(backend, keys, COMMITTED, entry, ROWS);
      assert.equal(result.sameLabels, result.rows);
      assert.ok(result.deviation <= SCORE_TOLERANCE, `a score is ${result.deviation} away`);
    });
  }
  keys.secret.key.close();
  backend.close();
});
