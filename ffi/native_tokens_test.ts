import assert from "node:assert/strict";
import { tokenScales } from "../circuits/finetune/token_scales.ts";
import { tokensSuite } from "../circuits/finetune/tokens_suite.ts";
import { isSottoError } from "../errors.ts";
import { TOKENS_1024, TOKENS_2048 } from "../params/mod.ts";
import { openLibrary } from "./library.ts";
import { openBackend } from "./mod.ts";
import { NativeCalls } from "./native_calls.ts";
import * as structs from "./structs.ts";

for (const backend of ["ref", "auto"]) {
  tokensSuite(`native ${backend}`, () => {
    const opened = openBackend({ backend, threads: 2 });
    return { tokens: opened.tokens, close: () => opened.close() };
  });
}

Deno.test("the native scales and messages of tokens are those of the definition, bit for bit", async () => {
  const { symbols } = openLibrary();
  const options = structs.contextOptions(2, "auto");
  const calls = new NativeCalls(symbols, (out) => symbols.sotto_context_create(options, out));
  for (const set of [TOKENS_1024, TOKENS_2048]) {
    const [tokens, features] = [37, 83];
    const activations = Float32Array.from({ length: tokens * features }, (_, i) => Math.sin(i) * 2 ** (i % 13 - 6));
    activations.fill(0, features, 2 * features);
    const block = { set, tokens, features, rowNorm: 812.5 };
    const [scales, messages] = [new Float64Array(tokens), new Int32Array(activations.length)];
    const shape = structs.tokenShape({ set, tokens, masks: { seed: new Uint8Array(32), first: 0 } });
    const scaling = structs.tokenScaling(block);
    const size = BigInt(activations.length);
    await calls.job(
      "scaling tokens",
      [activations, scales, messages, shape, scaling],
      {},
      (job) =>
        symbols.sotto_tokens_quantise_submit(
          calls.context.pointer,
          activations,
          size,
          shape,
          scaling,
          scales,
          messages,
          size,
          job,
        ),
    );
    assert.deepEqual({ scales, messages }, tokenScales(activations, block));
  }
  calls.context.close();
});

Deno.test("two blocks with the same masks have secrets of their own", async () => {
  const backend = openBackend({ threads: 2 });
  const masks = { seed: new Uint8Array(32), first: 0 };
  const block = { set: TOKENS_2048, tokens: 2, features: 3, rowNorm: 100, masks };
  using first = await backend.tokens.encryptTokens(new Float32Array(6).fill(1), block);
  using second = await backend.tokens.encryptTokens(new Float32Array(6).fill(1), block);
  assert.notDeepEqual(first.request.bodies, second.request.bodies);
  backend.close();
});

Deno.test("a product of tokens reports progress and can be cancelled", async () => {
  const backend = openBackend({ threads: 1 });
  const [rows, columns] = [2000, 1000];
  using matrix = await backend.tokens.createTokenMatrix(new Int8Array(rows * columns).fill(3), {
    rows,
    columns,
    directions: ["forward"],
  });
  assert.ok(matrix.bytes >= rows * columns && matrix.bytes < 4 * rows * columns);
  const block = { set: TOKENS_2048, tokens: 2048, features: columns, rowNorm: 100 };
  using encrypted = await backend.tokens.encryptTokens(new Float32Array(2048 * columns).fill(1), block);
  const abort = new AbortController();
  const product = backend.tokens.multiplyTokens(matrix, "forward", encrypted.request, "fresh", {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await assert.rejects(product, (error) => isSottoError(error) && error.code === "cancelled");
  const progress: number[] = [];
  const short = { ...encrypted.request, tokens: 1, bodies: encrypted.request.bodies.subarray(0, columns * 4) };
  await backend.tokens.multiplyTokens(matrix, "forward", short, "cached", { onProgress: (p) => progress.push(p) });
  assert.equal(progress.at(-1), 1);
  backend.close();
});
