import assert from "node:assert/strict";
import { assertRejected, fixture, withFiles } from "./fixtures.ts";
import type { LanguageModel } from "./language_model.ts";
import { moduleGroups } from "./module_list.ts";
import { openLanguageModel } from "./open_model.ts";
import { dequantise, quantiseRows } from "./quantise.ts";

const PATHS = ["tiny", "tiny.gguf"].map(fixture);

Deno.test("modules come in groups that share their input, in the order of the forward pass", async () => {
  for (const path of PATHS) {
    using model = await openLanguageModel(path);
    const groups = moduleGroups(model.modules());
    assert.deepEqual([...groups.keys()], [
      ...[0, 1].flatMap((layer) => ["qkv", "o", "gate_up", "down"].map((group) => `layers.${layer}.${group}`)),
      "output",
    ]);
    const qkv = groups.get("layers.1.qkv")!;
    assert.deepEqual(qkv.map(({ name, rows, columns }) => [name, rows, columns]), [
      ["model.layers.1.self_attn.q_proj", 64, 64],
      ["model.layers.1.self_attn.k_proj", 32, 64],
      ["model.layers.1.self_attn.v_proj", 32, 64],
    ]);
    assert.deepEqual(groups.get("output")!.map(({ name, rows }) => [name, rows]), [["lm_head", 256]]);
  }
});

Deno.test("a module's bytes are its quantised weights, however it is read", async () => {
  for (const path of PATHS) {
    using model = await openLanguageModel(path);
    for (const module of model.modules()) {
      const floats = await module.loadFloats();
      assert.deepEqual(await module.load(), quantiseRows(floats, module.rows, module.columns));
    }
  }
});

Deno.test("a tied output layer is the embedding", async () => {
  using model = await openLanguageModel(PATHS[0]);
  const output = model.modules().at(-1)!;
  assert.deepEqual(await output.loadFloats(), await model.embedding());
});

Deno.test("norms and embedding are those of the files", async () => {
  const norms = await Promise.all(PATHS.map(async (path) => {
    using model = await openLanguageModel(path);
    return await model.norms();
  }));
  assert.deepEqual(norms[0], norms[1]);
  assert.equal(norms[0].layers.length, 2);
  assert.equal(norms[0].final.length, 64);
  assert.notDeepEqual(norms[0].layers[0].attention, norms[0].layers[0].mlp);
});

Deno.test("the plan says shapes, bytes and norms of every module, and progress is told", async () => {
  using model = await openLanguageModel(PATHS[0]);
  const told: number[] = [];
  const plan = await model.plan((done, all) => told.push(done / all));
  assert.equal(plan.length, 15);
  assert.equal(told.at(-1), 1);
  const matrix = await model.modules()[4].load();
  const { name, group, rows, columns, bytes, rowNorm, columnNorm } = plan[4];
  assert.deepEqual([name, group, rows, columns, bytes], [
    "model.layers.0.mlp.gate_proj",
    "layers.0.gate_up",
    96,
    64,
    96 * 64 + 4 * 96,
  ]);
  assert.equal(rowNorm, Math.max(...matrix.rowNorms));
  const unit = dequantise({ ...matrix, scales: new Float32Array(rows).fill(1) });
  const squares = Array.from(
    { length: columns },
    (_, column) =>
      Array.from({ length: rows }, (_, row) => unit[row * columns + column] ** 2).reduce(
        (sum, value) => sum + value,
        0,
      ),
  );
  assert.equal(columnNorm, Math.sqrt(Math.max(...squares)));
});

const config = await Deno.readTextFile(fixture("tiny/config.json"));
const weights = await Deno.readFile(fixture("tiny/model.safetensors"));

/** Opens the tiny model with a changed configuration. */
function changed(change: object): Promise<LanguageModel> {
  const text = JSON.stringify({ ...JSON.parse(config), ...change });
  return withFiles({ "config.json": text, "model.safetensors": weights }, openLanguageModel);
}

Deno.test("tensors that do not agree with the configuration are refused by name", async () => {
  await assertRejected("model_refused", "the configuration says [128, 64]", () => changed({ vocab_size: 128 }));
  await assertRejected("model_refused", "no tensor model.layers.2", () => changed({ num_hidden_layers: 3 }));
  await assertRejected("model_refused", "tensor model.layers.1", () => changed({ num_hidden_layers: 1 }));
  await assertRejected("model_refused", "no tensor lm_head.weight", () => changed({ tie_word_embeddings: false }));
});

Deno.test("paths that hold no model are refused", async () => {
  await assertRejected("file_unreadable", "name a GGUF file", () => openLanguageModel(fixture("other")));
  await assertRejected("malformed_file", "not a GGUF file", () => openLanguageModel(fixture("tiny/config.json")));
  await assertRejected("file_unreadable", "config.json", () => openLanguageModel(fixture(".")));
  await assertRejected(
    "file_unreadable",
    "model.safetensors",
    () => withFiles({ "config.json": config }, openLanguageModel),
  );
});

Deno.test("a model without a tokenizer opens, and says so when it is asked for one", async () => {
  using folder = await openLanguageModel(PATHS[0]);
  await assertRejected("file_unreadable", "tokenizer.json", () => folder.tokenizer());
  using gguf = await openLanguageModel(PATHS[1]);
  await assertRejected("model_refused", "tokenizer", () => gguf.tokenizer());
});

Deno.test("a tokenizer with more tokens than the model knows is refused", async () => {
  const tokenizer = await Deno.readTextFile(fixture("tokenizer.json"));
  const files = { "config.json": config, "model.safetensors": weights, "tokenizer.json": tokenizer };
  await assertRejected("model_refused", "400 tokens", () =>
    withFiles(files, async (folder) => {
      using model = await openLanguageModel(folder);
      await model.tokenizer();
    }));
});
