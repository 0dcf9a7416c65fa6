/** Adapters that PEFT made and saved (tools/fixtures/finetune_peft.py): logits, loss and gradients are those of PyTorch. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FloatKernels, Floats } from "../../circuits/finetune/float_kernels.ts";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { openFloatKernels } from "../../ffi/native_float.ts";
import { openLanguageModel, openSafetensors } from "../../models/language/mod.ts";
import { loadAdapters, saveAdapters } from "./adapter_files.ts";
import { packBlock } from "./block.ts";
import { ClearProducts } from "./clear_products.ts";
import { Llama } from "./llama.ts";
import { loadLocalWeights } from "./local_weights.ts";

const fixtures = fileURLToPath(new URL("../../tests/fixtures/", import.meta.url));
const block = packBlock([{ tokens: [1, 17, 200, 43, 43, 9, 255, 100] }]);

async function openTuned(kernels: FloatKernels, folder = `${fixtures}finetune/adapter`) {
  using model = await openLanguageModel(`${fixtures}language/tiny`);
  const adapters = await loadAdapters(folder, kernels, model.config);
  const products = await ClearProducts.load(kernels, model, "float");
  const local = await loadLocalWeights(model);
  return { adapters, model: new Llama({ kernels, config: model.config, local, products, adapters }) };
}

function assertClose(actual: Floats, expected: Floats, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) < tolerance, `${what}, entry ${i}: ${actual[i]}, not ${expected[i]}`);
  }
}

Deno.test("logits, loss and all gradients of adapters made by PEFT are those of PyTorch", async () => {
  using native = openFloatKernels();
  using stored = await openSafetensors(`${fixtures}finetune/answers.safetensors`);
  for (const kernels of [new PlainFloat(64), native]) {
    const { adapters, model } = await openTuned(kernels);
    assert.deepEqual(
      { ...adapters.options, modules: adapters.modules.size },
      { rank: 2, alpha: 6, dropout: 0.1, modules: 14 },
    );
    assertClose(await model.logits(block), await stored.read("logits"), 5e-5, "logits");
    const { sum, count } = await model.gradients(block);
    assertClose(Float64Array.of(sum / count), await stored.read("loss"), 1e-5, "loss");
    for (const { name, gradient } of adapters.parameters()) {
      const expected = await stored.read(`gradient.base_model.model.${name}.weight`);
      assertClose(gradient, expected, 2e-5, name);
    }
    assert.equal(stored.names.length, adapters.parameters().length + 2);
  }
});

Deno.test("adapters made by PEFT and saved again are the same bytes of weights", async () => {
  const [kernels, folder] = [new PlainFloat(32), await Deno.makeTempDir()];
  try {
    const { adapters } = await openTuned(kernels);
    await saveAdapters(folder, adapters, "tests/fixtures/language/tiny");
    const again = await openTuned(kernels, folder);
    assert.deepEqual(again.adapters.parameters(), adapters.parameters());
    using first = await openSafetensors(join(folder, "adapter_model.safetensors"));
    using second = await openSafetensors(`${fixtures}finetune/adapter/adapter_model.safetensors`);
    assert.deepEqual([...first.names].sort(), [...second.names].sort());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
