import assert from "node:assert/strict";
import fc from "fast-check";
import { priorityOf, startTags } from "./fair_order.ts";

const second = fc.double({ min: 0, max: 1e6, noNaN: true });
const seconds = fc.array(fc.double({ min: 0.001, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 50 });
const priority = fc.constantFrom("low" as const, "normal" as const, "high" as const);

Deno.test("tags begin at the later of clock and tenant, never go back, and end after all weighted seconds", () => {
  fc.assert(fc.property(second, second, seconds, priority, (virtualSecond, before, planned, level) => {
    const { tags, finishTag } = startTags({ virtualSecond, finishTag: before }, planned, level);
    assert.equal(tags[0], Math.max(virtualSecond, before));
    assert.ok([...tags, finishTag].every((tag, i, all) => i === 0 || tag >= all[i - 1]));
    const total = planned.reduce((sum, one) => sum + one, 0) / { low: 0.25, normal: 1, high: 4 }[level];
    assert.ok(Math.abs(finishTag - tags[0] - total) <= 1e-6 * (total + finishTag));
  }));
});

Deno.test("priorities order as tags do and fit 32 bits, however far the clock is", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), second, (tag, more) => {
    assert.ok(priorityOf(tag) >= priorityOf(tag + more));
    assert.ok(priorityOf(tag) >= -(2 ** 31) && priorityOf(tag) <= 0);
  }));
});

/** Serves parts in the order of their tags, one at a time, and counts the seconds that each tenant got after every part. */
function serve(queue: { tenant: string; tag: number; seconds: number }[]): Map<string, number>[] {
  const got = new Map<string, number>();
  return queue.toSorted((a, b) => a.tag - b.tag).map(({ tenant, seconds }) => {
    got.set(tenant, (got.get(tenant) ?? 0) + seconds);
    return new Map(got);
  });
}

Deno.test("a tenant that sends ten times as much gets no more than one part ahead while both wait", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 30 }), (parts, length) => {
    const of = (tenant: string, count: number) => {
      const { tags } = startTags({ virtualSecond: 0, finishTag: 0 }, Array(count).fill(length), "normal");
      return tags.map((tag) => ({ tenant, tag, seconds: length }));
    };
    const queue = [...of("large", parts * 10), ...of("small", parts)];
    for (const got of serve(queue).slice(0, 2 * parts)) {
      assert.ok(Math.abs((got.get("large") ?? 0) - (got.get("small") ?? 0)) <= length);
    }
  }));
});
