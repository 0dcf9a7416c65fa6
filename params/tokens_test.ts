import assert from "node:assert/strict";
import { isSottoError } from "../errors.ts";
import { checkTokenParameterSet, TOKENS_1024, TOKENS_2048, tuniformVariance } from "./mod.ts";
import literal from "./tokens-1024-q32.json" with { type: "json" };

const refused = (code: string) => (error: unknown) => isSottoError(error) && error.code === code;

Deno.test("both rings of fine-tuning pass the security gate and cannot be changed", () => {
  assert.equal(TOKENS_1024.securityBits, 134.3);
  assert.ok(TOKENS_2048.securityBits >= 200);
  for (const set of [TOKENS_1024, TOKENS_2048]) {
    assert.deepEqual(set.wire, { bodyBits: 26, maskBits: 22, answerBits: 17 });
    assert.ok(Object.isFrozen(set) && Object.isFrozen(set.wire));
  }
});

Deno.test("noise of the shorter ring is what its modulus needs", () => {
  const bits = (boundLog: number) => 32 - Math.log2(Math.sqrt(tuniformVariance(boundLog)) / 3.2);
  assert.ok(bits(TOKENS_1024.noiseBoundLog) <= 26);
  assert.ok(bits(TOKENS_1024.noiseBoundLog - 1) > 26);
});

Deno.test("a ring of tokens with less noise, another degree, no estimate or another one is refused as insecure", () => {
  const noise = { distribution: "tuniform", bound_log: 8 };
  for (const change of [{ noise }, { ring_degree: 2048 }, { name: "tokens-new" }, { security_bits: 140 }]) {
    assert.throws(() => checkTokenParameterSet({ ...literal, ...change }), refused("insecure_parameter_set"));
  }
});

Deno.test("numbers that make no ring of tokens are refused", () => {
  const wire = { ...literal.wire, body_bits: 33 };
  for (const change of [{ ring_degree: 512 }, { modulus_log2: 31 }, { wire }, { kind: "ring" }, { secret: "binary" }]) {
    assert.throws(() => checkTokenParameterSet({ ...literal, ...change }), refused("wrong_parameter_set"));
  }
});
