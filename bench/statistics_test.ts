import assert from "node:assert/strict";
import fc from "fast-check";
import { best, median } from "./statistics.ts";

const values = fc.array(fc.double({ noNaN: true, min: 0, max: 1e9 }), { minLength: 1 });

Deno.test("the median has at least half of the values on either side of it", () => {
  fc.assert(fc.property(values, (list) => {
    const middle = median(list);
    assert.ok(2 * list.filter((value) => value <= middle).length >= list.length);
    assert.ok(2 * list.filter((value) => value >= middle).length >= list.length);
  }));
});

Deno.test("the median of an even number of values is the mean of the middle two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("the best is one of the values and none is smaller", () => {
  fc.assert(fc.property(values, (list) => {
    assert.ok(list.includes(best(list)));
    assert.ok(list.every((value) => value >= best(list)));
  }));
});
