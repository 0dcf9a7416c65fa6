import assert from "node:assert/strict";
import fc from "fast-check";
import { isSottoError } from "../../errors.ts";
import { TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import { tokenRadius, tokenScales } from "./token_scales.ts";

const refused = (code: string) => (error: unknown) => isSottoError(error) && error.code === code;

/** max_k |W_k| of rows of `columns` integers. */
function rowNorm(weights: Int8Array, columns: number): number {
  let largest = 0;
  for (let k = 0; k < weights.length; k += columns) {
    largest = Math.max(largest, Math.hypot(...weights.subarray(k, k + columns)));
  }
  return largest;
}

/** What noise and rounding of the wire may add to one output. */
function errorMax(set: typeof TOKENS_1024, weights: Int8Array): number {
  const { bodyBits, maskBits, answerBits } = set.wire;
  const upload = 2 ** set.noiseBoundLog + 2 ** (31 - bodyBits);
  const sum = weights.reduce((total, weight) => total + Math.abs(weight), 0);
  return sum * upload + 2 ** (31 - answerBits) + set.ringDegree * 2 ** (31 - maskBits);
}

Deno.test("whatever the activations and the weights, no output overflows, noise and rounding included", () => {
  const cases = fc.integer({ min: 1, max: 40 }).chain((features) =>
    fc.record({
      features: fc.constant(features),
      weights: fc.int8Array({ minLength: features, maxLength: features }),
      activations: fc.float32Array({ minLength: features, maxLength: features, noNaN: true, noDefaultInfinity: true }),
      aligned: fc.boolean(),
      set: fc.constantFrom(TOKENS_1024, TOKENS_2048),
    })
  );
  fc.assert(fc.property(cases, ({ features, weights, activations, aligned, set }) => {
    const x = aligned ? Float32Array.from(weights) : activations;
    const norm = rowNorm(weights, features);
    const { messages } = tokenScales(x, { set, tokens: 1, features, rowNorm: norm });
    const output = messages.reduce((sum, u, j) => sum + u * weights[j], 0);
    assert.ok(Math.abs(output) + errorMax(set, weights) < 2 ** 31);
    if (aligned && norm > 0) assert.ok(output > 0.95 * 2 ** 31 - 2 * errorMax(set, weights));
  }));
});

Deno.test("each token has its own scale, and a token of zeros an infinite one", () => {
  const activations = Float32Array.of(1, -2, 0, 0, 1e30, 1e30);
  const { scales, messages } = tokenScales(activations, { set: TOKENS_2048, tokens: 3, features: 2, rowNorm: 50 });
  assert.equal(scales[1], Infinity);
  assert.deepEqual([messages[1], messages[4]], [0, 0]);
  const radius = tokenRadius({ set: TOKENS_2048, features: 2, rowNorm: 50 });
  assert.ok(Math.abs(scales[0] * Math.sqrt(5) / radius - 1) < 1e-12);
  assert.ok(Math.abs(messages[2] / messages[5] - 1) < 1e-6 && messages[3] < 0);
});

Deno.test("activations that are not finite and matrices too large for the modulus are refused", () => {
  const scaling = { set: TOKENS_1024, tokens: 2, features: 2, rowNorm: 50 };
  for (const bad of [NaN, Infinity, -Infinity]) {
    assert.throws(() => tokenScales(Float32Array.of(1, 2, 3, bad), scaling), /token 1/);
  }
  assert.throws(() => tokenRadius({ ...scaling, rowNorm: 3e6 }), refused("model_refused"));
  assert.throws(() => tokenRadius({ ...scaling, rowNorm: NaN }), refused("model_refused"));
  assert.throws(() => tokenRadius({ ...scaling, rowNorm: -1 }), refused("model_refused"));
});
