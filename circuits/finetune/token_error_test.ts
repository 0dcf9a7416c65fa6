import assert from "node:assert/strict";
import { TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import { tokenErrorExpected } from "./token_error.ts";

/** 2048 weights of standard deviation 28 a row. */
const LAYER = { features: 2048, rowNorm: 28 * Math.sqrt(2048) };

Deno.test("the expected error of a 2048 x 2048 product is below one in a hundred and one in a thousand", () => {
  const [short, long] = [TOKENS_1024, TOKENS_2048].map((set) => tokenErrorExpected({ set, ...LAYER }));
  assert.ok(Math.abs(short - 0.0081) < 0.0003, String(short));
  assert.ok(Math.abs(long - 0.0006) < 0.00005, String(long));
});

Deno.test("the expected error grows with the inputs, so parts of a wide matrix are more precise than the whole", () => {
  const wide = tokenErrorExpected({ set: TOKENS_1024, features: 4 * 2048, rowNorm: 2 * LAYER.rowNorm });
  const part = tokenErrorExpected({ set: TOKENS_1024, ...LAYER });
  assert.ok(wide / part > 4 && wide / part < 4.5);
});
