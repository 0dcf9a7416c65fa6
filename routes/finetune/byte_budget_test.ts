import assert from "node:assert/strict";
import { ByteBudget } from "./byte_budget.ts";

Deno.test("bytes beyond the budget are refused until some are given back, but one request alone is always taken", () => {
  const budget = new ByteBudget(10);
  const large = budget.take(100);
  assert.throws(() => budget.take(1), { code: "busy" });
  large[Symbol.dispose]();
  large[Symbol.dispose]();
  const [first] = [budget.take(6), budget.take(4)];
  assert.throws(() => budget.take(1), { code: "busy" });
  first[Symbol.dispose]();
  budget.take(6);
});
