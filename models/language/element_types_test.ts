import assert from "node:assert/strict";
import fc from "fast-check";
import { GGUF_TYPES, SAFETENSORS_TYPES } from "./element_types.ts";
import { fixture } from "./fixtures.ts";

interface StoredBlocks {
  readonly type: number;
  readonly name: string;
  readonly blocks: string;
  readonly values: string;
}

Deno.test("blocks of all types decode to what ggml's Python package decodes them to, bit for bit", async () => {
  const stored: StoredBlocks[] = JSON.parse(await Deno.readTextFile(fixture("blocks.json")));
  assert.equal(stored.length, 8);
  for (const { type, name, blocks, values } of stored) {
    const bytes = Uint8Array.fromBase64(blocks);
    const expected = new Float32Array(Uint8Array.fromBase64(values).buffer);
    const found = new Float32Array(expected.length);
    const decoder = GGUF_TYPES.get(type)!;
    assert.equal(decoder.name, name);
    decoder.decode(new DataView(bytes.buffer), found);
    assert.deepEqual(found, expected, name);
  }
});

Deno.test("bfloat16 numbers are the upper halves of single-precision numbers", () => {
  const decoder = SAFETENSORS_TYPES.get("BF16")!;
  fc.assert(fc.property(fc.float(), (value) => {
    const upper = new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16;
    const found = new Float32Array(1);
    decoder.decode(new DataView(Uint16Array.of(upper).buffer), found);
    assert.equal(new Uint32Array(found.buffer)[0] >>> 16, Number.isNaN(value) ? 0x7fc0 : upper);
  }));
});
