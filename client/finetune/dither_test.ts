import assert from "node:assert/strict";
import { tokenScales } from "../../circuits/finetune/mod.ts";
import { openBackend } from "../../ffi/mod.ts";
import { TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import { ditherTokens } from "./dither.ts";

const scaling = { set: TOKENS_1024, tokens: 400, features: 64, rowNorm: 6000 };

/** One -1 and 63 values of a fifth of a unit. */
function gradients(): Float32Array {
  const x = new Float32Array(scaling.tokens * scaling.features).fill(0.2 / 350_000);
  for (let t = 0; t < scaling.tokens; t++) x[t * scaling.features] = -1;
  return x;
}

function meanOfSmall(x: Float32Array): number {
  const { scales, messages } = tokenScales(x, scaling);
  let sum = 0;
  for (let j = 1; j < scaling.features; j++) {
    for (let t = 0; t < scaling.tokens; t++) sum += messages[j * scaling.tokens + t] / scales[t];
  }
  return sum / scaling.tokens / (scaling.features - 1);
}

/** In units: what the rounding of bodies to the wire adds on average. */
const UPLOAD_MEAN = 0.5 / 357_000;

Deno.test("values below half a unit keep their mean with dither, and vanish without", () => {
  const x = gradients();
  assert.equal(meanOfSmall(x), 0);
  assert.ok(Math.abs(meanOfSmall(ditherTokens(x, scaling)) + UPLOAD_MEAN - x[1]) < 0.1 * x[1]);
});

Deno.test("dither moves nothing by more than a unit, and tokens of zeros not at all", () => {
  const x = gradients();
  x.fill(0, 0, scaling.features);
  const { scales } = tokenScales(x, scaling);
  ditherTokens(x, scaling).forEach((value, i) => {
    const token = Math.floor(i / scaling.features);
    if (token === 0) assert.equal(value, 0);
    else assert.ok(Math.abs(value - x[i]) <= 1.01 / scales[token] + 1e-7);
  });
});

Deno.test("the mean of encrypted gradients of logits is exact, even where the columns of the matrix have large sums", async () => {
  const backend = openBackend({ threads: 2 });
  const [tokens, features, rows] = [1024, 2048, 16];
  const weights = new Int8Array(rows * features).fill(60);
  const block = { set: TOKENS_2048, tokens, features, rowNorm: 60 * Math.sqrt(features) };
  const x = new Float32Array(tokens * features).fill(2e-7);
  for (let t = 0; t < tokens; t++) x[t * features + t % features] = -1;
  try {
    using matrix = await backend.tokens.createTokenMatrix(weights, { rows, columns: features });
    const exact = 60 * (-1 + (features - 1) * x[1]);
    const errorOf = async (activations: Float32Array) => {
      using encrypted = await backend.tokens.encryptTokens(activations, block);
      const answer = await backend.tokens.multiplyTokens(matrix, "forward", encrypted.request, "fresh");
      const values = await encrypted.decrypt(answer, new Float32Array(rows).fill(1));
      return Math.abs(values.reduce((sum, value) => sum + value, 0) / values.length - exact);
    };
    const [plain, dithered] = [await errorOf(x), await errorOf(ditherTokens(x, block))];
    assert.ok(dithered < plain / 4, `${plain} without dither, ${dithered} with it`);
  } finally {
    backend.close();
  }
});
