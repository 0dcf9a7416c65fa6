import assert from "node:assert/strict";
import fc from "fast-check";
import { type Cast, fromOrder, LARGEST, leastValue, nextDown, nextUp, toOrder } from "./float.ts";

const casts: Cast[] = ["float32", "float64"];

Deno.test("nextUp steps to the neighbour in each precision", () => {
  assert.equal(nextUp("float32", 1), 1 + 2 ** -23);
  assert.equal(nextUp("float64", 1), 1 + 2 ** -52);
  assert.equal(nextUp("float32", 0), 2 ** -149);
  assert.equal(nextUp("float64", -0), Number.MIN_VALUE);
  assert.equal(nextUp("float32", -(2 ** -149)), 0);
  assert.equal(nextUp("float32", LARGEST.float32), Infinity);
  assert.equal(nextDown("float64", Infinity), LARGEST.float64);
});

Deno.test("order keeps the order of values and comes back to the same value", () => {
  for (const cast of casts) {
    const value = cast === "float32" ? fc.float({ noNaN: true }) : fc.double({ noNaN: true });
    fc.assert(fc.property(value, value, (a, b) => {
      assert.equal(fromOrder(cast, toOrder(cast, a)), a + 0);
      assert.equal(toOrder(cast, a) < toOrder(cast, b), a < b);
    }));
  }
});

Deno.test("x <= t exactly when x is below the least value above t", () => {
  for (const cast of casts) {
    const value = cast === "float32"
      ? fc.float({ noNaN: true, max: Math.fround(3e38) })
      : fc.double({ noNaN: true, max: 1e308 });
    fc.assert(fc.property(value, fc.double({ noNaN: true, min: -1e300 }), (x, limit) => {
      assert.equal(x <= limit, x < leastValue(cast, "above", limit));
      assert.equal(x < limit, x < leastValue(cast, "at least", limit));
    }));
    fc.assert(fc.property(value, (x) => {
      assert.ok(x < leastValue(cast, "above", x));
      assert.equal(leastValue(cast, "at least", x), x + 0);
    }));
  }
});

Deno.test("an infinite limit becomes the largest finite value", () => {
  for (const cast of casts) assert.equal(leastValue(cast, "above", Infinity), LARGEST[cast]);
});
