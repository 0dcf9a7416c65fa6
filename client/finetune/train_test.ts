import assert from "node:assert/strict";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { packBlock } from "./block.ts";
import type { LinearProducts } from "./linear_products.ts";
import { TINY, tinyAdapters, tinyModel, tinyProducts } from "./test_model.ts";
import { Adapters } from "./adapters.ts";
import { perplexity, Trainer } from "./train.ts";

const kernels = new PlainFloat(32);
const texts = [
  packBlock([{ tokens: [1, 2, 3, 4, 5, 6, 7, 8] }, { tokens: [9, 8, 7, 6] }]),
  packBlock([{ tokens: [5, 5, 1, 2, 3] }]),
];

function trainer(products: LinearProducts = tinyProducts(kernels), steps = 30) {
  const adapters = Adapters.create(kernels, TINY, { rank: 4, alpha: 8, dropout: 0.05 }, 2);
  const model = tinyModel(kernels, { adapters, products });
  return { adapters, model, run: new Trainer(model, { learningRate: { peak: 0.03, steps, warmUp: 3 }, seed: 4 }) };
}

Deno.test("training learns its texts", async () => {
  const { model, run } = trainer();
  const before = await perplexity(model, texts);
  const losses = [];
  for (let step = 0; step < 30; step++) losses.push((await run.step(texts)).loss);
  const after = await perplexity(model, texts);
  assert.ok(
    Math.abs(Math.log(before) - losses[0]) < 0.3,
    "the first loss is that of the untrained model up to dropout",
  );
  assert.ok(after < before / 4, `the perplexity went from ${before} to ${after}`);
  assert.ok(losses[29] < losses[0] / 2);
});

Deno.test("the same seed gives the same run", async () => {
  const [first, second] = [trainer().run, trainer().run];
  for (let step = 0; step < 3; step++) assert.deepEqual(await first.step(texts), await second.step(texts));
});

Deno.test("the loss of a step over blocks is the mean over all of their labels", async () => {
  const { run } = trainer();
  const report = await run.step(texts);
  assert.equal(report.labels, 7 + 3 + 4);
  assert.equal(report.step, 0);
  assert.equal(report.learningRate, 0.01);
});

Deno.test("a layer and direction takes four requests, the first layer three back", async () => {
  const asked: string[] = [];
  const clear = tinyProducts(kernels);
  const products: LinearProducts = {
    forward: (group, x, tokens) => (asked.push(`forward ${group} ${tokens}`), clear.forward(group, x, tokens)),
    backward: (group, dy, tokens) => (asked.push(`backward ${group} ${tokens}`), clear.backward(group, dy, tokens)),
  };
  await trainer(products).run.step([texts[1]]);
  const layer = (direction: string, index: number) =>
    ["qkv", "o", "gate_up", "down"].map((group) => `${direction} layers.${index}.${group} 5`);
  assert.deepEqual(asked, [
    ...layer("forward", 0),
    ...layer("forward", 1),
    "forward output 4",
    "backward output 4",
    ...layer("backward", 1).reverse(),
    ...layer("backward", 0).reverse().slice(0, 3),
  ]);
});

Deno.test("a step whose products fail changes nothing and can be made again", async () => {
  const clear = tinyProducts(kernels);
  let failing = true;
  const products: LinearProducts = {
    forward: (group, x, tokens) => clear.forward(group, x, tokens),
    backward: (group, dy, tokens) =>
      failing && group === "layers.0.down" ? Promise.reject(new Error("gone")) : clear.backward(group, dy, tokens),
  };
  const { run } = trainer(products);
  await assert.rejects(run.step(texts), { message: "gone" });
  failing = false;
  assert.deepEqual(await run.step(texts), await trainer().run.step(texts));
});

Deno.test("a cancelled step stops with its code, progress reaches its end", async () => {
  const parts: number[] = [];
  await trainer().run.step(texts, { onProgress: (part) => parts.push(part) });
  assert.equal(parts.at(-1), 1);
  assert.deepEqual(parts, [...parts].sort((a, b) => a - b));
  await assert.rejects(trainer().run.step(texts, { signal: AbortSignal.abort() }), { code: "cancelled" });
});

Deno.test("what cannot be learned is refused", async () => {
  const nothing = packBlock([{ tokens: [4] }]);
  await assert.rejects(trainer().run.step([nothing]), { code: "rows_refused" });
  await assert.rejects(perplexity(trainer().model, [nothing]), { code: "rows_refused" });
  await assert.rejects(trainer().run.step([packBlock([{ tokens: [1, 23] }])]), { code: "rows_refused" });
  const learningRate = { peak: 1, steps: 1 };
  assert.throws(() => new Trainer(tinyModel(kernels), { learningRate }), { code: "configuration_invalid" });
});

Deno.test("packing texts into one block changes neither their loss nor their gradients", async () => {
  const [double, sequences] = [new PlainFloat(64), [{ tokens: [1, 2, 3, 4] }, { tokens: [7, 5, 9] }]];
  const gradients = async (blocks: { tokens: number[] }[][]) => {
    const adapters = tinyAdapters(double);
    const model = tinyModel(double, { adapters });
    let loss = 0;
    for (const block of blocks) loss += (await model.gradients(packBlock(block), { divisor: 5 })).sum;
    return [loss, ...adapters.parameters().flatMap(({ gradient }) => [...gradient])];
  };
  const [packed, apart] = [await gradients([sequences]), await gradients(sequences.map((sequence) => [sequence]))];
  assert.ok(packed.every((value, i) => Math.abs(value - apart[i]) < 1e-12));
});
