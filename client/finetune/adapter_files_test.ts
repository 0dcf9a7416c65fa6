import assert from "node:assert/strict";
import { join } from "node:path";
import { PlainFloat } from "../../circuits/finetune/plain_float.ts";
import { loadAdapters, saveAdapters } from "./adapter_files.ts";
import { TINY, tinyAdapters } from "./test_model.ts";

const kernels = new PlainFloat(32);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("saved adapters are read back as they were", () =>
  inFolder(async (folder) => {
    const adapters = tinyAdapters(kernels, { dropout: 0.05, modules: ["v_proj", "gate_proj"] });
    await saveAdapters(join(folder, "deep", "er"), adapters, "tiny");
    const loaded = await loadAdapters(join(folder, "deep", "er"), kernels, TINY);
    assert.deepEqual(loaded.options, { rank: 3, alpha: 6, dropout: 0.05, modules: ["v_proj", "gate_proj"] });
    assert.deepEqual(loaded.parameters(), adapters.parameters());
  }));

Deno.test("the files are named, and hold what, PEFT expects", () =>
  inFolder(async (folder) => {
    await saveAdapters(folder, tinyAdapters(kernels, { modules: ["q_proj"] }), "tiny/model");
    const config = JSON.parse(await Deno.readTextFile(join(folder, "adapter_config.json")));
    assert.equal(config.peft_type, "LORA");
    assert.equal(config.task_type, "CAUSAL_LM");
    assert.equal(config.base_model_name_or_path, "tiny/model");
    assert.deepEqual([config.r, config.lora_alpha, config.lora_dropout], [3, 6, 0]);
    assert.deepEqual(config.target_modules, ["q_proj"]);
    const bytes = await Deno.readFile(join(folder, "adapter_model.safetensors"));
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    assert.equal(length % 8, 0);
    assert.deepEqual(header.__metadata__, { format: "pt" });
    assert.deepEqual(header["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"], {
      dtype: "F32",
      shape: [3, 12],
      data_offsets: [0, 144],
    });
    assert.deepEqual(header["base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight"].shape, [16, 3]);
  }));

Deno.test("files that are missing, of another model or of another kind of adapter are refused", () =>
  inFolder(async (folder) => {
    await assert.rejects(loadAdapters(folder, kernels, TINY), { code: "file_unreadable" });
    await saveAdapters(folder, tinyAdapters(kernels), "tiny");
    await assert.rejects(loadAdapters(folder, kernels, { ...TINY, layers: 3 }), { code: "model_refused" });
    await assert.rejects(loadAdapters(folder, kernels, { ...TINY, layers: 1 }), { code: "model_refused" });
    await assert.rejects(loadAdapters(folder, kernels, { ...TINY, hidden: 16 }), { code: "model_refused" });
    const path = join(folder, "adapter_config.json");
    const config = JSON.parse(await Deno.readTextFile(path));
    for (const change of [{ use_dora: true }, { bias: "all" }, { peft_type: "IA3" }, { rank_pattern: { q_proj: 2 } }]) {
      await Deno.writeTextFile(path, JSON.stringify({ ...config, ...change }));
      await assert.rejects(loadAdapters(folder, kernels, TINY), { code: "model_refused" });
    }
    await Deno.writeTextFile(path, "{");
    await assert.rejects(loadAdapters(folder, kernels, TINY), { code: "malformed_file" });
  }));
