import assert from "node:assert/strict";
import fc from "fast-check";
import { fixture } from "./fixtures.ts";
import { openGguf } from "./gguf.ts";
import { asTransformers, ggufName, ggufRow, transformersName } from "./gguf_names.ts";
import { readConfigGguf } from "./llama_config_gguf.ts";
import { tensorShapes } from "./module_list.ts";
import { openSafetensors } from "./safetensors.ts";

const gguf = await openGguf(fixture("tiny.gguf"));
const config = await readConfigGguf(gguf);
const renamed = asTransformers(gguf.tensors, config);
const original = await openSafetensors(fixture("tiny/model.safetensors"));

Deno.test("every tensor of a Llama model has one name in each world", () => {
  for (const name of [...tensorShapes(config).keys(), "lm_head.weight"]) {
    assert.notEqual(ggufName(name), name);
    assert.equal(transformersName(ggufName(name)), name);
  }
  assert.equal(ggufName("model.layers.12.mlp.up_proj.weight"), "blk.12.ffn_up.weight");
  assert.equal(transformersName("other"), "other");
  assert.deepEqual(new Set(renamed.names), new Set(original.names));
});

Deno.test("turned rows stay in their head, and each is read once", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), (half, heads) => {
    const rows = Array.from({ length: 2 * half * heads }, (_, row) => ggufRow(row, 2 * half));
    rows.forEach((from, row) => assert.equal(Math.floor(from / (2 * half)), Math.floor(row / (2 * half))));
    assert.equal(new Set(rows).size, rows.length);
  }));
  assert.deepEqual([0, 1, 2, 3].map((row) => ggufRow(row, 4)), [0, 2, 1, 3]);
});

Deno.test("weights are those of transformers, up to the rounding of their type", async () => {
  for (const [name, shape] of tensorShapes(config)) {
    assert.deepEqual(renamed.shape(name), shape);
    const [found, expected] = [await renamed.read(name), await original.read(name)];
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const steps = { F32: Infinity, F16: 2048, Q8_0: 220, Q4_1: 14 }[renamed.type(name)]!;
    found.forEach((value, at) => {
      assert.ok(Math.abs(value - expected[at]) <= largest / steps, `${name} ${at}: ${value} is not ${expected[at]}`);
    });
  }
});

Deno.test("any rows of a turned matrix are the slices of the whole", async () => {
  const name = "model.layers.0.self_attn.q_proj.weight";
  const whole = await renamed.read(name);
  await fc.assert(fc.asyncProperty(fc.nat(64), fc.nat(64), async (one, other) => {
    const [first, end] = [Math.min(one, other), Math.max(one, other)];
    assert.deepEqual(await renamed.rows(name, first, end - first), whole.slice(first * 64, end * 64));
  }));
});
