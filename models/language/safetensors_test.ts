import assert from "node:assert/strict";
import { assertRejected, fixture, safetensorsBytes, withFiles } from "./fixtures.ts";
import { openSafetensors, openSafetensorsIndex } from "./safetensors.ts";

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const entry = (dtype: string, shape: number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

/** Opens a file of one header and its data, and closes it. */
function open(header: unknown, data: Uint8Array = new Uint8Array()): Promise<void> {
  return withFiles({ file: safetensorsBytes(header, data) }, async (folder) => {
    using _source = await openSafetensors(`${folder}/file`);
  });
}

Deno.test("rows of a matrix are the slices of the whole", async () => {
  using source = await openSafetensors(fixture("tiny/model.safetensors"));
  const name = "model.layers.1.mlp.gate_proj.weight";
  assert.deepEqual(source.shape(name), [96, 64]);
  assert.equal(source.type(name), "BF16");
  const whole = await source.read(name);
  assert.equal(whole.length, 96 * 64);
  assert.deepEqual(await source.rows(name, 90, 6), whole.slice(90 * 64));
  assert.deepEqual(await source.rows(name, 3, 0), new Float32Array());
  await assertRejected("model_refused", "has 96 rows", () => source.rows(name, 90, 7));
  await assertRejected("model_refused", "no tensor other", () => source.read("other"));
});

Deno.test("scalars, empty tensors and metadata are read", async () => {
  const header = {
    __metadata__: { format: "pt" },
    one: entry("F32", [], 0, 4),
    none: entry("F32", [0, 3], 4, 4),
    half: entry("F16", [2], 4, 8),
  };
  const data = new Uint8Array([...floats(2.5), 0x00, 0x3c, 0x01, 0x80]);
  await withFiles({ file: safetensorsBytes(header, data) }, async (folder) => {
    using source = await openSafetensors(`${folder}/file`);
    assert.deepEqual(source.names, ["one", "none", "half"]);
    assert.deepEqual(await source.read("one"), Float32Array.of(2.5));
    assert.deepEqual(await source.read("none"), new Float32Array());
    assert.deepEqual(await source.read("half"), Float32Array.of(1, -(2 ** -24)));
  });
});

Deno.test("tensors of other types are listed, and refused by name when they are read", async () => {
  await withFiles({ file: safetensorsBytes({ list: entry("I64", [1], 0, 8) }, new Uint8Array(8)) }, async (folder) => {
    using source = await openSafetensors(`${folder}/file`);
    assert.equal(source.type("list"), "I64");
    await assertRejected("model_refused", "list has the element type I64", () => source.read("list"));
  });
});

Deno.test("headers that do not fit their file are refused", async () => {
  const data = floats(1, 2);
  await assertRejected("malformed_file", "beyond the end", () => open({ a: entry("F32", [3], 0, 12) }, data));
  await assertRejected("malformed_file", "beyond the end", () => open({ a: entry("F32", [2], 8, 0) }, data));
  await assertRejected("malformed_file", "lies beyond", () => open({ a: entry("F32", [3], 0, 8) }, data));
  await assertRejected("malformed_file", "its shape says 4", () => open({ a: entry("F32", [1], 0, 8) }, data));
  await assertRejected(
    "malformed_file",
    "does not suit",
    () => open({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 8) }, data),
  );
  await assertRejected("malformed_file", "not described", () => open({ a: entry("F32", [-1], 0, 8) }, data));
  await assertRejected("malformed_file", "not described", () => open({ a: 1 }, data));
  await assertRejected("malformed_file", "no list of tensors", () => open([]));
  await withFiles({ file: new Uint8Array(8).fill(255), text: "........not JSON" }, async (folder) => {
    await assertRejected("malformed_file", "announces a header", () => openSafetensors(`${folder}/file`));
    await assertRejected("malformed_file", "announces a header", () => openSafetensors(`${folder}/text`));
  });
});

const SHARDS = {
  "one.safetensors": safetensorsBytes({ a: entry("F32", [1], 0, 4) }, floats(1)),
  "two.safetensors": safetensorsBytes({ b: entry("F32", [1, 2], 0, 8) }, floats(2, 3)),
};

/** Opens an index beside two files, and gives all tensors. */
function openIndex(weightMap: Record<string, string>): Promise<[string, Float32Array][]> {
  const index = JSON.stringify({ metadata: {}, weight_map: weightMap });
  return withFiles({ ...SHARDS, index }, async (folder) => {
    using source = await openSafetensorsIndex(`${folder}/index`);
    return await Promise.all(
      source.names.map(async (name) => [name, await source.read(name)] as [string, Float32Array]),
    );
  });
}

Deno.test("a model in several files is read through its index", async () => {
  const tensors = await openIndex({ b: "two.safetensors", a: "one.safetensors" });
  assert.deepEqual(tensors, [["b", Float32Array.of(2, 3)], ["a", Float32Array.of(1)]]);
});

Deno.test("an index that names other folders, other files or other tensors is refused", async () => {
  await assertRejected("model_refused", "lie beside", () => openIndex({ a: "../one.safetensors" }));
  await assertRejected("model_refused", "lie beside", () => openIndex({ a: ".." }));
  await assertRejected("file_unreadable", "cannot be read", () => openIndex({ a: "three.safetensors" }));
  await assertRejected("malformed_file", "b is not in one", () => openIndex({ b: "one.safetensors" }));
  await withFiles({ index: '{"weight_map": 1}' }, async (folder) => {
    await assertRejected("malformed_file", "no safetensors index", () => openSafetensorsIndex(`${folder}/index`));
  });
});
