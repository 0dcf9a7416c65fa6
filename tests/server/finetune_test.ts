import assert from "node:assert/strict";
import { callsOf, clearTiny, cosine, gradientsOf, openProducts, withNative } from "./finetune_support.ts";

for (const parameterSet of ["tokens-1024-q32", "tokens-2048-q32"]) {
  for (const masks of ["fresh", "cached"] as const) {
    Deno.test(`a step on encrypted tokens has the gradients of the clear step: ${parameterSet}, ${masks} masks`, () =>
      withNative(async (server) => {
        const calls = callsOf(server, server.ours.admin);
        const { base, products } = await openProducts(calls, server, { parameterSet, masks });
        const clear = await clearTiny();
        const [encrypted, exact] = [await gradientsOf(base, products), await gradientsOf(clear, clear.products)];
        const [error, least] = parameterSet === "tokens-1024-q32" ? [0.005, 0.999] : [0.0005, 0.99999];
        assert.ok(Math.abs(encrypted.loss / exact.loss - 1) < error, `${encrypted.loss} and ${exact.loss}`);
        const similarity = cosine(encrypted.gradients, exact.gradients);
        assert.ok(similarity > least && similarity < 1, `the cosine is ${similarity}`);
        assert.equal(products.totals.requests, 2 * 4 + 2 * 4 - 1 + 2);
      }));
  }
}
