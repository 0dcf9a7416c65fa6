import assert from "node:assert/strict";
import { TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import { WEIGHT_KINDS, type WeightKind } from "../../models/language/mod.ts";
import { COARSEST_SET } from "./group_plan.ts";
import { tokenErrorExpected } from "./token_error.ts";

/** 2048 weights of standard deviation 28 a row. */
const LAYER = { features: 2048, rowNorm: 28 * Math.sqrt(2048) };

Deno.test("the expected error of a 2048 x 2048 product is below one in a hundred and one in a thousand", () => {
  const [short, long] = [TOKENS_1024, TOKENS_2048].map((set) => tokenErrorExpected({ set, ...LAYER }));
  assert.ok(Math.abs(short - 0.0081) < 0.0003, String(short));
  assert.ok(Math.abs(long - 0.0006) < 0.00005, String(long));
});

Deno.test("at the largest norm of a row its rounding and its noise are as large as each other", () => {
  for (const kind of ["int8", "int10"] as WeightKind[]) {
    const { normMax: rowNorm } = WEIGHT_KINDS[kind];
    for (const features of [512, 2048, 8192]) {
      const noise = tokenErrorExpected({ set: COARSEST_SET[kind], features, rowNorm });
      const rounding = Math.sqrt(features / 12) / rowNorm;
      assert.ok(Math.abs(noise / rounding - 1) < 0.15, `${kind}, ${features}: ${noise} and ${rounding}`);
    }
  }
});

Deno.test("the expected error grows with the inputs, so parts of a wide matrix are more precise than the whole", () => {
  const wide = tokenErrorExpected({ set: TOKENS_1024, features: 4 * 2048, rowNorm: 2 * LAYER.rowNorm });
  const part = tokenErrorExpected({ set: TOKENS_1024, ...LAYER });
  assert.ok(wide / part > 4 && wide / part < 4.5);
});
