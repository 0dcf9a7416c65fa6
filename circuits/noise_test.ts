import assert from "node:assert/strict";
import { CURRENT } from "../params/mod.ts";
import {
  answerRoundingVariance,
  failureLog2,
  freshVariance,
  inputRoundingVariance,
  keyswitchVariance,
  log2Erfc,
  packVariance,
} from "./noise.ts";

const sigmaLog2 = (variance: number) => Math.log2(variance) / 2;

Deno.test("variances are those that the scalar prototype measured", () => {
  assert.equal(freshVariance(CURRENT), 21.5);
  assert.ok(Math.abs(sigmaLog2(keyswitchVariance(CURRENT, { baseLog: 12, levelCount: 4 })) - 18.92) < 0.01);
  assert.ok(Math.abs(sigmaLog2(keyswitchVariance(CURRENT, { baseLog: 8, levelCount: 6 })) - 15.21) < 0.01);
  assert.ok(Math.abs(sigmaLog2(packVariance(CURRENT, { baseLog: 12, levelCount: 4 }, 9)) - 27.13) < 0.01);
  assert.ok(Math.abs(sigmaLog2(packVariance(CURRENT, { baseLog: 12, levelCount: 4 }, 7)) - 25.13) < 0.01);
  assert.ok(Math.abs(sigmaLog2(answerRoundingVariance(CURRENT, 26)) - 27.42) < 0.01);
});

Deno.test("a coefficient at full width is not rounded and a packing of one product has no keyswitch", () => {
  assert.equal(inputRoundingVariance(50), 0);
  assert.equal(inputRoundingVariance(40), 2 ** 20 / 12);
  assert.equal(packVariance(CURRENT, CURRENT.gadgets.trees, 0), 0);
});

Deno.test("log2 of erfc agrees with tabulated values from 0 to far below the smallest double", () => {
  const table: [number, number][] = [
    [0, 1],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [2, 0.004677734981047266],
    [3, 2.209049699858544e-5],
    [5, 1.5374597944280349e-12],
    [10, 2.088487583762545e-45],
    [25, 8.300172571196522e-274],
  ];
  for (const [x, erfc] of table) assert.ok(Math.abs(log2Erfc(x) - Math.log2(erfc)) < 1e-9, `erfc(${x})`);
  const x = 90; // e^-8100: asymptotic series to three terms
  const asymptotic = -x * x * Math.LOG2E - Math.log2(x * Math.sqrt(Math.PI)) +
    Math.log2(1 - 1 / (2 * x * x) + 3 / (4 * x ** 4));
  assert.ok(asymptotic < -10000 && Math.abs(log2Erfc(x) - asymptotic) < 1e-9);
});

Deno.test("the failure of many outputs is their union and never more than certain", () => {
  const one = failureLog2(1, 10, 1);
  assert.ok(Math.abs(failureLog2(1, 10, 1024) - one - 10) < 1e-9);
  assert.equal(failureLog2(100, 1, 5), 0);
  assert.equal(failureLog2(1, 0, 5), 0);
  assert.ok(Number.isFinite(failureLog2(1e-200, 1e200, 1)));
});
