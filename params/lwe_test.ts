import assert from "node:assert/strict";
import { isSottoError } from "../errors.ts";
import { checkLweParameterSet, CURRENT_LWE, tuniformVariance, TWIN_LWE } from "./mod.ts";
import literal from "./lwe-840-block3.json" with { type: "json" };
import twin from "./lwe-880-binary.json" with { type: "json" };

Deno.test("the small key of lookups passes the security gate", () => {
  assert.equal(CURRENT_LWE.dimension, 840);
  assert.equal(CURRENT_LWE.securityBits, 132.5);
});

Deno.test("its uniform binary twin passes the gate with the least noise that its estimate allows", () => {
  assert.equal(TWIN_LWE.dimension, 880);
  assert.equal(TWIN_LWE.block, 1);
  assert.equal(TWIN_LWE.securityBits, 130.9);
  const noiseLog2 = (boundLog: number) => Math.log2(tuniformVariance(boundLog)) / 2 - TWIN_LWE.modulusLog2;
  assert.ok(noiseLog2(TWIN_LWE.noiseBoundLog) >= -19.5 && noiseLog2(TWIN_LWE.noiseBoundLog - 1) < -19.5);
});

Deno.test("a twin with fewer dimensions, less noise or longer blocks is refused", () => {
  for (const change of [{ dimension: 840 }, { noise: { distribution: "tuniform", bound_log: 13 } }, { block: 2 }]) {
    assert.throws(
      () => checkLweParameterSet({ ...twin, ...change }),
      (error) => isSottoError(error) && error.code === "insecure_parameter_set",
    );
  }
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
