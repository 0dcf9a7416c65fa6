import assert from "node:assert/strict";
import fc from "fast-check";
import type { OnnxTensor } from "../onnx_schema.ts";
import { assertClose } from "./assert_close.ts";
import { readTensor } from "./tensors.ts";

const EMPTY: OnnxTensor = {
  name: "t",
  dims: [],
  dataType: 1,
  floatData: [],
  int32Data: [],
  stringData: [],
  int64Data: [],
  doubleData: [],
  uint64Data: [],
  rawData: new Uint8Array(),
  dataLocation: 0,
};

function valuesOf(tensor: Partial<OnnxTensor>): number[] {
  const read = readTensor({ ...EMPTY, ...tensor }, "t");
  return read.kind === "constant" ? Array.from(read.values) : [];
}

const raw = (array: Float32Array | Float64Array | Uint16Array | Int8Array | BigInt64Array) =>
  new Uint8Array(array.buffer);

Deno.test("tensors are read as raw bytes and as lists, in every number type", () => {
  const dims = [2n];
  assert.deepEqual(valuesOf({ dims, floatData: [1.5, -2] }), [1.5, -2]);
  assert.deepEqual(valuesOf({ dims, rawData: raw(Float32Array.of(1.5, -2)) }), [1.5, -2]);
  assert.deepEqual(valuesOf({ dims, dataType: 11, rawData: raw(Float64Array.of(0.1, 2)) }), [0.1, 2]);
  assert.deepEqual(valuesOf({ dims, dataType: 7, int64Data: [-5n, 6n] }), [-5, 6]);
  assert.deepEqual(valuesOf({ dims, dataType: 7, rawData: raw(BigInt64Array.of(-5n, 6n)) }), [-5, 6]);
  assert.deepEqual(valuesOf({ dims, dataType: 3, rawData: raw(Int8Array.of(-5, 6)) }), [-5, 6]);
  assert.deepEqual(valuesOf({ dims, dataType: 9, int32Data: [1, 0] }), [1, 0]);
  assert.deepEqual(valuesOf({ dims, dataType: 16, rawData: raw(Uint16Array.of(0x3f80, 0xc000)) }), [1, -2]);
});

Deno.test("half-precision numbers are read exactly", () => {
  const bits = [0x3c00, 0xc000, 0x3555, 0x0001, 0x0400, 0x7bff, 0x8000];
  const wanted = [1, -2, 1365 / 4096, 2 ** -24, 2 ** -14, 65504, -0];
  const dims = [7n];
  assertClose(valuesOf({ dims, dataType: 10, rawData: raw(Uint16Array.from(bits)) }), wanted, 1e-12);
  assertClose(valuesOf({ dims, dataType: 10, int32Data: bits }), wanted, 1e-12);
});

Deno.test("any single-precision numbers come back as they are", () => {
  fc.assert(fc.property(fc.float32Array({ minLength: 1, maxLength: 20 }), (values) => {
    assert.deepEqual(valuesOf({ dims: [BigInt(values.length)], rawData: raw(values.slice()) }), Array.from(values));
  }));
});
