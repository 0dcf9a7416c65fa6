import assert from "node:assert/strict";
import fc from "fast-check";
import { quantileEdges } from "./edges.ts";

Deno.test("quantiles of 0..8 with two bits are 2, 4, 6", () => {
  const rows = Array.from({ length: 9 }, (_, index) => [8 - index, 1]);
  assert.deepEqual(quantileEdges(rows, 2), [[2, 4, 6], [1]]);
});

Deno.test("missing values are left out, and a feature of only missing values has the edge 0", () => {
  assert.deepEqual(quantileEdges([[NaN, NaN], [1, NaN], [3, NaN]], 1), [[2], [0]]);
});

Deno.test("edges are sorted, distinct, within the data and never too many", () => {
  const column = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { minLength: 1 });
  fc.assert(fc.property(column, fc.integer({ min: 1, max: 6 }), (values, bitCount) => {
    const [edges] = quantileEdges(values.map((value) => [value]), bitCount);
    assert.ok(edges.length >= 1 && edges.length < 2 ** bitCount);
    assert.ok(edges.every((edge, index) => index === 0 || edges[index - 1] < edge));
    assert.ok(edges[0] >= Math.min(...values) - 1e-6 && edges.at(-1)! <= Math.max(...values) + 1e-6);
  }));
});

Deno.test("no rows and odd bit counts are refused", () => {
  assert.throws(() => quantileEdges([], 4), /needs? calibration rows/);
  assert.throws(() => quantileEdges([[1]], 0), /from 1 to 16/);
  assert.throws(() => quantileEdges([[1]], 2.5), /from 1 to 16/);
});
