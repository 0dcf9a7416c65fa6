/** For tests: asserts that two lists of numbers are nearly the same. */
import assert from "node:assert/strict";

/** @param tolerance of each number, relative to one plus its size */
export function assertClose(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-6, what = ""): void {
  assert.equal(found.length, wanted.length, `${what} ${Array.from(found)} for ${Array.from(wanted)}`);
  for (let i = 0; i < found.length; i++) {
    const near = Math.abs(found[i] - wanted[i]) <= tolerance * (1 + Math.abs(wanted[i]));
    assert.ok(near, `${what} number ${i} is ${found[i]}, not ${wanted[i]}`);
  }
}
