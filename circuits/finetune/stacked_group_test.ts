import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openLanguageModel, openSafetensors } from "../../models/language/mod.ts";
import { moduleScales, publicParts, rowScalesName } from "./public_parts.ts";
import { groupsOf, planGroups, stackGroup, tileWeights } from "./stacked_group.ts";

const TINY = fileURLToPath(new URL("../../tests/fixtures/language/tiny.gguf", import.meta.url));

Deno.test("the modules of a group are stacked in order, and tiles are cut out of them", async () => {
  using model = await openLanguageModel(TINY);
  const [[name, modules]] = groupsOf(model);
  const group = await stackGroup(name, modules, "int8");
  const key = await modules[1].load();
  const first = modules[0].rows;
  assert.deepEqual(group.weights.subarray(first * group.columns, (first + key.rows) * group.columns), key.integers);
  assert.deepEqual(moduleScales(modules, group.scales)[1], [modules[1].name, key.scales]);
  const rows = { first: first + 2, count: 3, norm: 0 };
  const tile = tileWeights(group, rows, { first: 5, count: 4, norm: 0 });
  assert.deepEqual(tile.subarray(0, 4), key.integers.subarray(2 * group.columns + 5, 2 * group.columns + 9));
  const whole = tileWeights(group, rows, { first: 0, count: group.columns, norm: 0 });
  assert.deepEqual(whole, key.integers.subarray(2 * group.columns, 5 * group.columns));
});

Deno.test("the public parts are a safetensors file with embedding, norms and scales", async () => {
  using model = await openLanguageModel(TINY);
  const scales = new Map<string, Float32Array>();
  await planGroups(model, "int10", ({ modules, scales: stacked }) => {
    for (const [name, values] of moduleScales(modules, stacked)) scales.set(name, values);
  });
  const path = await Deno.makeTempFile();
  try {
    using file = await Deno.open(path, { write: true });
    for await (const piece of publicParts(model, scales)) await file.write(piece);
    using tensors = await openSafetensors(path);
    assert.deepEqual(await tensors.read("model.embed_tokens.weight"), await model.embedding());
    assert.deepEqual(await tensors.read("model.norm.weight"), (await model.norms()).final);
    for (const [name, values] of scales) assert.deepEqual(await tensors.read(rowScalesName(name)), values);
    assert.equal(tensors.names.length, 2 + 2 * model.config.layers + scales.size);
  } finally {
    await Deno.remove(path);
  }
});
