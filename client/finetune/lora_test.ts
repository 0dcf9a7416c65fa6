import assert from "node:assert/strict";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { Adapters } from "./adapters.ts";
import { packBlock } from "./block.ts";
import { mergeLora, newLora } from "./lora.ts";
import { TINY, tinyAdapters, tinyModel, tinyProducts } from "./test_model.ts";

const kernels = new PlainFloat(64);
const block = packBlock([{ tokens: [3, 1, 4, 1, 5, 9, 2, 6] }]);

Deno.test("untrained adapters leave the logits exactly as they are", async () => {
  const adapters = Adapters.create(kernels, TINY, { rank: 4, alpha: 8, start: "gaussian" }, 1);
  assert.deepEqual(await tinyModel(kernels, { adapters }).logits(block), await tinyModel(kernels).logits(block));
});

Deno.test("adapters merged into the weights compute what they computed beside them", async () => {
  const adapters = tinyAdapters(kernels, { modules: ["k_proj", "o_proj", "gate_proj", "down_proj"] });
  const beside = await tinyModel(kernels, { adapters }).logits(block);
  const merged = await tinyModel(kernels, { products: await tinyProducts(kernels).merged(adapters) }).logits(block);
  const base = await tinyModel(kernels).logits(block);
  const distance = (x: ArrayLike<number>) => Math.max(...beside.map((value, i) => Math.abs(value - x[i])));
  assert.ok(distance(merged) < 1e-12);
  assert.ok(distance(base) > 0.1);
});

Deno.test("adapters are one for each named module of each layer, in the order of the forward pass", () => {
  const adapters = Adapters.create(kernels, TINY, { rank: 2, alpha: 2, modules: ["up_proj", "q_proj"] }, 1);
  assert.deepEqual([...adapters.modules.keys()], [
    "model.layers.0.self_attn.q_proj",
    "model.layers.0.mlp.up_proj",
    "model.layers.1.self_attn.q_proj",
    "model.layers.1.mlp.up_proj",
  ]);
  assert.equal(adapters.parameters().length, 8);
  const one = Adapters.create(kernels, TINY, { rank: 1, alpha: 1, modules: ["model.layers.1.mlp.up_proj"] }, 1);
  assert.deepEqual([...one.modules.keys()], ["model.layers.1.mlp.up_proj"]);
});

Deno.test("A starts within its bound or with its deviation, B at zero", () => {
  const uniform = newLora(kernels, 100, 50, { rank: 8, alpha: 8 }, 3);
  assert.ok(uniform.a.every((value: number) => Math.abs(value) <= 0.1));
  assert.ok(uniform.b.every((value: number) => value === 0));
  const { a } = newLora(kernels, 400, 50, { rank: 8, alpha: 8, start: "gaussian" }, 3);
  const variance = Array.from(a).reduce((sum, value) => sum + value * value, 0) / a.length;
  assert.ok(Math.abs(variance * 64 - 1) < 0.13, `the variance is ${variance}`);
});

Deno.test("options that make no sense are refused by name", async () => {
  const refused = { code: "configuration_invalid" };
  for (
    const options of [{ rank: 0, alpha: 1 }, { rank: 1.5, alpha: 1 }, { rank: 1, alpha: 0 }, {
      rank: 1,
      alpha: 1,
      dropout: 1,
    }]
  ) {
    assert.throws(() => Adapters.create(kernels, TINY, options, 1), refused);
  }
  for (const modules of [["lm_head"], ["q_proj", "proj"], []]) {
    assert.throws(() => Adapters.create(kernels, TINY, { rank: 1, alpha: 1, modules }, 1), refused);
  }
  const lora = newLora(kernels, 4, 4, { rank: 1, alpha: 1 }, 1);
  await assert.rejects(mergeLora(kernels, lora, kernels.zeros(15)), { code: "model_refused" });
});
