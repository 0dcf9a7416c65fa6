import assert from "node:assert/strict";
import { assertRejected, fixture, ggufBytes, type GgufParts, withFiles } from "./fixtures.ts";
import { type Gguf, openGguf } from "./gguf.ts";

/** Opens a made file, uses it and closes it. */
function opened<T>(parts: GgufParts | Uint8Array, use: (gguf: Gguf) => T | Promise<T>): Promise<T> {
  const file = parts instanceof Uint8Array ? parts : ggufBytes(parts);
  return withFiles({ file }, async (folder) => {
    const gguf = await openGguf(`${folder}/file`);
    using _tensors = gguf.tensors;
    return await use(gguf);
  });
}

const refused = (code: "malformed_file" | "model_refused", message: string, parts: GgufParts | Uint8Array) =>
  assertRejected(code, message, () => opened(parts, () => {}));

Deno.test("a file of the gguf package is read: metadata, shapes, types", async () => {
  const { metadata, tensors } = await openGguf(fixture("tiny.gguf"));
  using _tensors = tensors;
  assert.equal(metadata.text("general.architecture"), "llama");
  assert.equal(metadata.number("llama.attention.head_count_kv"), 2);
  assert.equal(tensors.names.length, 2 * 9 + 2);
  assert.deepEqual(tensors.shape("blk.1.ffn_down.weight"), [64, 96]);
  assert.equal(tensors.type("blk.0.ffn_down.weight"), "Q8_0");
  assert.equal(tensors.type("blk.1.ffn_down.weight"), "Q4_1");
  assert.equal(tensors.type("token_embd.weight"), "F16");
  assert.equal(tensors.type("output_norm.weight"), "F32");
  const whole = await tensors.read("blk.1.ffn_down.weight");
  assert.deepEqual(await tensors.rows("blk.1.ffn_down.weight", 60, 4), whole.slice(60 * 96));
});

Deno.test("versions 2 and 3 are read, others and big-endian files are refused", async () => {
  for (const version of [2, 3]) await opened({ version }, ({ tensors }) => assert.deepEqual(tensors.names, []));
  await refused("model_refused", "the version 1", { version: 1 });
  await refused("model_refused", "big endian", { version: 3 << 24 });
  await refused("malformed_file", "is not a GGUF file", new Uint8Array(40));
  await refused("malformed_file", "is not a GGUF file", new Uint8Array([71, 71, 85, 70]));
});

Deno.test("metadata have the type they are asked for", async () => {
  await opened({ metadata: [["a", { type: 8, value: "b" }], ["t", { type: 7, value: 1 }]] }, ({ metadata }) => {
    assert.equal(metadata.text("a"), "b");
    assert.equal(metadata.truth("t"), true);
    assert.equal(metadata.number("other"), undefined);
    assert.throws(() => metadata.number("a"), /not a number/);
    assert.throws(() => metadata.numbers("a"), /not a list of numbers/);
    assert.throws(() => metadata.needNumber("other"), /has no other/);
  });
  const twice = [["a", { type: 4, value: 1 }], ["a", { type: 4, value: 2 }]] as const;
  await refused("malformed_file", "a twice", { metadata: twice });
});

Deno.test("parts of split files are refused with the remedy", async () => {
  await refused("model_refused", "merge them", { metadata: [["split.count", { type: 4, value: 3 }]] });
});

Deno.test("tensors must lie in the file, at the alignment, once", async () => {
  const line = { name: "a", dimensions: [4], type: 0, offset: 0 };
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const values = await opened({ tensors: [line], data }, ({ tensors }) => tensors.read("a"));
  assert.deepEqual(values, Float32Array.of(1, 2, 3, 4));
  await refused("malformed_file", "beyond the end", { tensors: [line], data: data.slice(1) });
  await refused("malformed_file", "multiple of 32", { tensors: [{ ...line, offset: 8 }], data: new Uint8Array(64) });
  await refused("malformed_file", "a twice", { tensors: [line, line], data });
  await refused("malformed_file", "5 dimensions", {
    tensors: [{ ...line, dimensions: [1, 1, 1, 1, 1] }],
    data,
  });
  await refused("malformed_file", "does not suit", { tensors: [{ ...line, dimensions: [2 ** 40, 2 ** 40] }], data });
  await refused("malformed_file", "does not suit the type Q8_0", { tensors: [{ ...line, type: 8 }], data });
  await refused("malformed_file", "alignment 0", {
    metadata: [["general.alignment", { type: 4, value: 0 }]],
    tensors: [line],
    data,
  });
});

Deno.test("element types that are not read are refused by number, only when they are read", async () => {
  const line = { name: "a", dimensions: [256], type: 16, offset: 0 };
  await opened({ tensors: [line], data: new Uint8Array(66) }, async ({ tensors }) => {
    assert.equal(tensors.type("a"), "ggml type 16");
    await assertRejected("model_refused", "a has the element type ggml type 16", () => tensors.read("a"));
  });
});

Deno.test("what a header announces is held to its limit before it is made room for", async () => {
  const bytes = ggufBytes({});
  for (const [at, message] of [[8, "number of tensors"], [16, "number of entries"]] as const) {
    const changed = bytes.slice();
    changed.fill(255, at, at + 8);
    await refused("malformed_file", message, changed);
  }
  const long = ggufBytes({ metadata: [["a", { type: 8, value: "b" }]] });
  long.fill(255, 24, 32);
  await refused("malformed_file", "length of a text", long);
});
