import assert from "node:assert/strict";
import fc from "fast-check";
import { packBits, packedBytes, unpackBits } from "./packing.ts";

Deno.test("packed coefficients of every width come back", () => {
  const widths = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(widths, fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (bits, parts) => {
      const values = parts.map((part) => Math.floor(part * 2 ** bits));
      const packed = packBits(values, bits);
      assert.equal(packed.length, packedBytes(values.length, bits));
      assert.deepEqual([...unpackBits(packed, values.length, bits)], values);
    }),
  );
});

Deno.test("bits are packed least significant first without gaps", () => {
  assert.deepEqual([...packBits([0b101, 0b011, 0b111], 3)], [0b11011101, 0b1]);
  assert.deepEqual([...packBits([2 ** 50 - 1, 1], 50)], [255, 255, 255, 255, 255, 255, 0b111, 0, 0, 0, 0, 0, 0]);
});
