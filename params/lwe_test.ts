import assert from "node:assert/strict";
import { isSottoError } from "../errors.ts";
import { checkLweParameterSet, CURRENT_LWE } from "./mod.ts";
import literal from "./lwe-840-block3.json" with { type: "json" };

Deno.test("the small key of lookups passes the security gate", () => {
  assert.equal(CURRENT_LWE.dimension, 840);
  assert.equal(CURRENT_LWE.securityBits, 132.5);
});

Deno.test("a small key with fewer dimensions, less noise, other blocks or no estimate is refused", () => {
  for (
    const change of [{ dimension: 780 }, { noise: { distribution: "tuniform", bound_log: 12 } }, { block: 4 }, {
      name: "lwe-840-new",
    }, { security_bits: 140 }]
  ) {
    assert.throws(
      () => checkLweParameterSet({ ...literal, ...change }),
      (error) => isSottoError(error) && error.code === "insecure_parameter_set",
    );
  }
});

Deno.test("a small key whose blocks do not divide it, or with fields of another kind, is no parameter set", () => {
  for (const change of [{ dimension: 841 }, { keyswitch: { base_log: 5, level_count: 8 } }, { kind: "ring" }]) {
    assert.throws(
      () => checkLweParameterSet({ ...literal, ...change }),
      (error) => isSottoError(error) && error.code === "wrong_parameter_set",
    );
  }
});
