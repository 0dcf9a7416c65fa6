import assert from "node:assert/strict";
import fc from "fast-check";
import { assertRefused } from "../../tests/fixtures/assert_refused.ts";
import { columnNorms, dequantise, quantiseRows, WEIGHT_KINDS } from "./quantise.ts";

const matrix = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 })).chain(([rows, columns]) =>
  fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: rows * columns, maxLength: rows * columns })
    .map((values) => ({ rows, columns, values: Float32Array.from(values) }))
);

Deno.test("a byte stands for its weight to half a scale, and the largest of a row is 127", () => {
  fc.assert(fc.property(matrix, ({ rows, columns, values }) => {
    const quantised = quantiseRows(values, rows, columns);
    const back = dequantise(quantised);
    for (let row = 0; row < rows; row++) {
      const scale = quantised.scales[row];
      const bytes = quantised.integers.subarray(row * columns, (row + 1) * columns);
      const largest = Math.max(...bytes.map(Math.abs));
      assert.equal(largest, scale === 0 ? 0 : 127);
      const error = scale === 0 ? 2 ** -119 : scale * 0.50001;
      for (let at = row * columns; at < (row + 1) * columns; at++) assert.ok(Math.abs(back[at] - values[at]) <= error);
    }
  }));
});

Deno.test("ten bits are four times as fine: the largest of a row is 508", () => {
  fc.assert(fc.property(matrix, ({ rows, columns, values }) => {
    const quantised = quantiseRows(values, rows, columns, "int10");
    const back = dequantise(quantised);
    for (let at = 0; at < values.length; at++) {
      const scale = quantised.scales[Math.floor(at / columns)];
      assert.ok(Math.abs(quantised.integers[at]) <= 508);
      assert.ok(Math.abs(back[at] - values[at]) <= (scale === 0 ? 2 ** -117 : scale * 0.50001));
    }
  }));
});

Deno.test("rows are levelled: no norm is above the balance of noise and rounding, and only rows above it are coarser", () => {
  const columns = 2048;
  const row = (size: (column: number) => number) => Float32Array.from({ length: columns }, (_, i) => size(i));
  const [even, peaked] = [row((i) => i % 2 ? 1 : -0.5), row((i) => i === 7 ? 1 : 0.01)];
  const values = Float32Array.from([...even, ...peaked]);
  for (const kind of ["int8", "int10"] as const) {
    const { rowNorms, integers } = quantiseRows(values, 2, columns, kind);
    const { largest, normMax } = WEIGHT_KINDS[kind];
    assert.ok(rowNorms[0] > 0.97 * normMax && rowNorms[0] < 1.03 * normMax);
    assert.ok(integers.subarray(0, columns).every((integer) => Math.abs(integer) < largest));
    assert.equal(integers[columns + 7], largest);
  }
});

Deno.test("quantising is odd: the bytes of -W are the negated bytes of W", () => {
  fc.assert(fc.property(matrix, ({ rows, columns, values }) => {
    const plus = quantiseRows(values, rows, columns);
    const minus = quantiseRows(values.map((value) => -value), rows, columns);
    assert.deepEqual(minus.integers, plus.integers.map((integer) => -integer));
    assert.deepEqual(minus.scales, plus.scales);
  }));
});

Deno.test("norms are those of the rows and columns of bytes", () => {
  fc.assert(fc.property(matrix, ({ rows, columns, values }) => {
    const quantised = quantiseRows(values, rows, columns);
    const norm = (bytes: number[]) => Math.sqrt(bytes.reduce((sum, byte) => sum + byte * byte, 0));
    const bytes = [...quantised.integers];
    const rowNorms = Array.from({ length: rows }, (_, row) => norm(bytes.slice(row * columns, (row + 1) * columns)));
    assert.deepEqual([...quantised.rowNorms], rowNorms);
    const columnsOf = Array.from(
      { length: columns },
      (_, column) => norm(bytes.filter((_, at) => at % columns === column)),
    );
    assert.deepEqual([...columnNorms(quantised)], columnsOf);
  }));
});

Deno.test("halves round away from zero, and rows of zeros have the scale zero", () => {
  const quantised = quantiseRows(Float32Array.of(127, 0.5, -0.5, -1.5, 0, 0, 0, 0), 2, 4);
  assert.deepEqual([...quantised.integers], [127, 1, -1, -2, 0, 0, 0, 0]);
  assert.deepEqual([...quantised.scales], [1, 0]);
});

Deno.test("weights that are not finite, or not as many as announced, are refused", () => {
  assertRefused("model_refused", "not finite", () => quantiseRows(Float32Array.of(1, NaN), 1, 2));
  assertRefused("model_refused", "not finite", () => quantiseRows(Float32Array.of(1, -Infinity), 1, 2));
  assertRefused("model_refused", "came with 2", () => quantiseRows(Float32Array.of(1, 2), 2, 2));
});
