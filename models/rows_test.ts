import assert from "node:assert/strict";
import { assertRefused } from "../tests/fixtures/assert_refused.ts";
import { castRow, readCell } from "./rows.ts";
import type { Feature } from "./types.ts";

const feature = (missing: Feature["missing"], cast: Feature["cast"] = "float64"): Feature => ({
  name: "age",
  cast,
  missing,
});

Deno.test("a cell is rounded to the feature's precision", () => {
  assert.deepEqual(readCell(feature("nan", "float32"), 0.1), { value: Math.fround(0.1), missing: false });
  assert.deepEqual(readCell(feature("nan"), 0.1), { value: 0.1, missing: false });
});

Deno.test("an empty cell is missing, zero or refused as the feature says", () => {
  assert.deepEqual(readCell(feature("nan"), NaN), { value: NaN, missing: true });
  assert.deepEqual(readCell(feature("zero"), NaN), { value: NaN, missing: true });
  assert.deepEqual(readCell(feature("as_zero"), NaN), { value: 0, missing: false });
  assertRefused("rows_refused", 'feature "age" (column 3) is empty', () => readCell(feature("refused"), NaN, 2));
});

Deno.test("zero is missing only where the feature says so", () => {
  for (const zero of [0, -0, 1e-35, -1e-35, Math.fround(1e-35)]) {
    assert.equal(readCell(feature("zero"), zero).missing, true);
    assert.equal(readCell(feature("nan"), zero).missing, false);
  }
  assert.equal(readCell(feature("zero"), 1.1e-35).missing, false);
});

Deno.test("a value too large for its precision is refused, naming feature and column", () => {
  for (const value of [Infinity, -Infinity, 1e39]) {
    assertRefused("rows_refused", 'feature "age" (column 1)', () => readCell(feature("nan", "float32"), value, 0));
  }
  assert.equal(readCell(feature("nan"), 1e39).value, 1e39);
});

Deno.test("a row of another length is refused", () => {
  assertRefused("rows_refused", "2 cells and the model 1 features", () => castRow([feature("nan")], [1, 2]));
});
