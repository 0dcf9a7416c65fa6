import assert from "node:assert/strict";
import { TOKENS_1024, TOKENS_2048 } from "../../params/mod.ts";
import type { GroupPlan } from "./group_plan.ts";
import {
  decodeServerTime,
  encodeServerTime,
  partMasks,
  productAnswerBytes,
  productMasksBytes,
  productRequestBytes,
  type ProductShape,
  splitRequest,
  tilesOf,
} from "./product_layout.ts";
import { stepTraffic } from "./traffic.ts";

const PLAN: GroupPlan = {
  name: "layers.0.qkv",
  modules: [{ name: "q", rows: 3 }, { name: "k", rows: 2 }],
  rows: 5,
  columns: 7,
  column_parts: [{ first: 0, count: 4, norm: 1 }, { first: 4, count: 3, norm: 1 }],
  row_parts: [{ first: 0, count: 3, norm: 1 }, { first: 3, count: 2, norm: 1 }],
  mask_first: { forward: 100, backward: 107 },
};
const shape = (change: Partial<ProductShape> = {}): ProductShape => ({
  plan: PLAN,
  direction: "forward",
  set: TOKENS_1024,
  mode: "fresh",
  tokens: 8,
  ...change,
});

Deno.test("lengths follow from the plan: 26 bits up, 22 and 17 bits down for every tile", () => {
  assert.equal(productRequestBytes(shape()), 32 + 7 * 26);
  assert.equal(productRequestBytes(shape({ mode: "cached", direction: "backward" })), 5 * 26);
  assert.equal(productAnswerBytes(shape()), 2 * 5 * (1024 * 22 / 8 + 17) + 8);
  assert.equal(productAnswerBytes(shape({ mode: "cached" })), 2 * 5 * 17 + 8);
  assert.equal(productMasksBytes(shape({ set: TOKENS_2048, direction: "backward" })), 2 * 7 * 2048 * 22 / 8);
});

Deno.test("a request is cut into its seed and the bodies of each part", () => {
  const request = Uint8Array.from({ length: productRequestBytes(shape()) }, (_, i) => i);
  const { seed, bodies } = splitRequest(shape(), request);
  assert.deepEqual(seed, request.subarray(0, 32));
  assert.deepEqual(bodies.map(({ length }) => length), [4 * 26, 3 * 26]);
  assert.equal(bodies[1][0], (32 + 4 * 26) % 256);
  assert.equal(splitRequest(shape({ mode: "cached" }), request).seed, undefined);
});

Deno.test("tiles come output by output, and masks by direction", () => {
  const order = tilesOf(PLAN, "backward").map(({ output, input, inputs }) => [output, input, inputs.count]);
  assert.deepEqual(order, [[0, 0, 3], [0, 1, 2], [1, 0, 3], [1, 1, 2]]);
  const seed = new Uint8Array(32);
  assert.equal(partMasks(shape(), PLAN.column_parts[1], seed).first, 4);
  assert.equal(partMasks(shape({ mode: "cached", direction: "backward" }), PLAN.row_parts[1], seed).first, 110);
});

Deno.test("the server's time comes back", () => {
  const answer = new Uint8Array([1, 2, 3, ...encodeServerTime(12.75)]);
  assert.equal(decodeServerTime(answer), 12.75);
});

Deno.test("the first group costs no backward request, the output only its learned tokens", () => {
  const setting = { set: TOKENS_1024, mode: "fresh" as const, tokens: 8 };
  const one = stepTraffic([PLAN], setting);
  assert.deepEqual([one.upload, one.answers, one.masks], [
    productRequestBytes(shape()),
    productAnswerBytes(shape()),
    0,
  ]);
  const output = { ...PLAN, name: "output" };
  const both = stepTraffic([PLAN, output], { ...setting, learned: 4 });
  const [forward, backward] = (["forward", "backward"] as const).map((direction) => shape({ direction, tokens: 4 }));
  assert.equal(both.upload - one.upload, productRequestBytes(forward) + productRequestBytes(backward));
  assert.ok(stepTraffic([PLAN], { ...setting, mode: "cached" }).masks === productMasksBytes(shape()));
});
