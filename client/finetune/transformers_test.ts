/** The forward pass against values that transformers computed (tools/fixtures/language.py), in both precisions and on the native kernels. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { openFloatKernels } from "../../ffi/native_float.ts";
import { openLanguageModel, openSafetensors, type TensorSource } from "../../models/language/mod.ts";
import { packBlock } from "./block.ts";
import { ClearProducts } from "./clear_products.ts";
import { generate } from "./generate.ts";
import { Llama } from "./llama.ts";
import { loadLocalWeights } from "./local_weights.ts";

const folder = fileURLToPath(new URL("../../tests/fixtures/language/", import.meta.url));

async function openTiny(kernels: FloatKernels): Promise<Llama> {
  using model = await openLanguageModel(`${folder}tiny`);
  const local = await loadLocalWeights(model);
  return new Llama({
    kernels,
    config: model.config,
    local,
    products: await ClearProducts.load(kernels, model, "float"),
  });
}

function distance(x: Floats, y: Floats): number {
  assert.equal(x.length, y.length);
  let most = 0;
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i] - y[i]));
  return most;
}

async function sequences(stored: TensorSource): Promise<{ name: string; tokens: number[] }[]> {
  const names = stored.names.filter((name) => name.endsWith(".tokens")).map((name) => name.replace(".tokens", ""));
  return await Promise.all(names.map(async (name) => ({ name, tokens: [...await stored.read(`${name}.tokens`)] })));
}

Deno.test("layers and logits are those of transformers", async () => {
  using native = openFloatKernels();
  using stored = await openSafetensors(`${folder}tiny_activations.safetensors`);
  for (const kernels of [new PlainFloat(64), new PlainFloat(32), native]) {
    const model = await openTiny(kernels);
    for (const { name, tokens } of await sequences(stored)) {
      const block = packBlock([{ tokens }]);
      const states = await model.hiddenStates(block);
      for (let layer = 0; layer < model.config.layers; layer++) {
        assert.ok(
          distance(states[layer], await stored.read(`${name}.layer.${layer}`)) < 1e-5,
          `${name}, layer ${layer}`,
        );
      }
      assert.ok(distance(await model.logits(block), await stored.read(`${name}.logits`)) < 3e-5, name);
    }
  }
});

Deno.test("texts packed into one block have the logits that each has alone", async () => {
  using stored = await openSafetensors(`${folder}tiny_activations.safetensors`);
  using native = openFloatKernels();
  const texts = await sequences(stored);
  const logits = await (await openTiny(native)).logits(packBlock(texts));
  const expected = (await Promise.all(texts.map(({ name }) => stored.read(`${name}.logits`)))).flatMap((x) => [...x]);
  assert.ok(distance(logits, Float32Array.from(expected)) < 3e-5);
});

Deno.test("text generated on the native kernels is that of the plain ones", async () => {
  using native = openFloatKernels();
  const [plain, fast] = [await openTiny(new PlainFloat(64)), await openTiny(native)];
  const options = { tokensMax: 20, temperature: 0.8, seed: 3 };
  const tokens = async (model: Llama) => await Array.fromAsync(generate(model, [1, 17, 200], options));
  assert.deepEqual(await tokens(fast), await tokens(plain));
});

Deno.test("weights in bytes give logits near those of the file's weights", async () => {
  const kernels = new PlainFloat(32);
  using file = await openLanguageModel(`${folder}tiny`);
  const parts = { kernels, config: file.config, local: await loadLocalWeights(file) };
  const block = packBlock([{ tokens: [1, 17, 200, 43] }]);
  const of = async (weights: "float" | "int8") =>
    await new Llama({ ...parts, products: await ClearProducts.load(kernels, file, weights) }).logits(block);
  const [floats, bytes] = [await of("float"), await of("int8")];
  const size = (x: Floats) => Math.sqrt([...x].reduce((sum, value) => sum + value * value, 0));
  const error = size(floats.map((logit: number, i: number) => logit - bytes[i])) / size(floats);
  assert.ok(error > 0 && error < 0.03, `the error is ${error} of the logits' size`);
});
