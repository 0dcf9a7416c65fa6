import assert from "node:assert/strict";
import { figures, result, resultTable } from "./results.ts";

Deno.test("the ratio is the value over the peer's, and is absent without a peer", () => {
  assert.equal(result("a", 2, "ms", { name: "other", value: 8 }).ratio, 0.25);
  assert.deepEqual(result("a", 2, "ms"), { name: "a", value: 2, unit: "ms" });
});

Deno.test("the table shows name, value, unit, peer and ratio of every result", () => {
  const table = resultTable([
    result("kernels.x_us", 1.23456, "us", { name: "other 1.0", value: 3 }),
    result("keys.bytes", 579064, "bytes"),
  ]);
  for (const word of ["name", "ratio", "kernels.x_us", "1.235", "3 other 1.0", "0.4115", "579064"]) {
    assert.ok(table.includes(word), word);
  }
});

Deno.test("figures have four significant places, whole numbers all of theirs", () => {
  assert.deepEqual([1.23456, 0.000123456, 123456, 98765.4].map(figures), ["1.235", "0.0001235", "123456", "98770"]);
});
