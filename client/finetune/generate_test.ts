import assert from "node:assert/strict";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { packBlock } from "./block.ts";
import { generate, type GenerateOptions } from "./generate.ts";
import type { Llama } from "./llama.ts";
import { TINY, tinyAdapters, tinyModel } from "./test_model.ts";

const kernels = new PlainFloat(64);
const model = tinyModel(kernels, { adapters: tinyAdapters(kernels) });

async function all(model: Llama, prompt: number[], options: GenerateOptions): Promise<number[]> {
  const tokens = [];
  for await (const token of generate(model, prompt, options)) tokens.push(token);
  return tokens;
}

Deno.test("greedy generation is the likeliest token of a full pass, again and again", async () => {
  const text = [3, 1, 4];
  for (let i = 0; i < 6; i++) {
    const logits = (await model.logits(packBlock([{ tokens: text }]))).slice(-TINY.vocabulary);
    text.push(logits.indexOf(Math.max(...logits)));
  }
  assert.deepEqual(await all(model, [3, 1, 4], { tokensMax: 6 }), text.slice(3));
});

Deno.test("drawn text depends on the seed only, and a stop token ends it unseen", async () => {
  const options = { tokensMax: 12, temperature: 1.5, seed: 8 };
  const first = await all(model, [1], options);
  assert.deepEqual(await all(model, [1], options), first);
  assert.notDeepEqual(await all(model, [1], { ...options, seed: 9 }), first);
  const stop = first[4];
  assert.deepEqual(await all(model, [1], { ...options, stop: [stop] }), first.slice(0, first.indexOf(stop)));
});

Deno.test("draws follow softmax(logits / temperature)", async () => {
  const logits = (await model.logits(packBlock([{ tokens: [2] }]))).map((logit: number) => Math.exp(logit / 2));
  const sum = Array.from(logits).reduce((a, b) => a + b);
  const counts = new Float64Array(TINY.vocabulary);
  for (let seed = 0; seed < 400; seed++) counts[(await all(model, [2], { tokensMax: 1, temperature: 2, seed }))[0]]++;
  const squares = Array.from(counts, (count, i) => (count - 400 * logits[i] / sum) ** 2 / (400 * logits[i] / sum));
  const statistic = squares.reduce((a, b) => a + b);
  assert.ok(statistic < 55, `chi squared of 22 degrees of freedom is ${statistic}`);
});

Deno.test("a prompt is needed, and a cancelled generation stops", async () => {
  await assert.rejects(all(model, [], { tokensMax: 1 }), { code: "rows_refused" });
  await assert.rejects(all(model, [1], { tokensMax: 1, signal: AbortSignal.abort() }), { code: "cancelled" });
});
