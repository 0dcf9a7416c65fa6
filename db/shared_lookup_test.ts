import assert from "node:assert/strict";
import { SharedLookup } from "./shared_lookup.ts";

Deno.test("who asks while a query is under way shares the next one, which sees what changed before they asked", async () => {
  const stored = new Map([["a", 1], ["b", 2]]);
  const queries: string[][] = [];
  const gates: (() => void)[] = [];
  const lookup = new SharedLookup<number>(async (keys) => {
    queries.push(keys);
    const seen = new Map(stored);
    await new Promise<void>((resolve) => gates.push(resolve));
    return seen;
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1));
  const first = lookup.find("a");
  await settle();
  stored.set("a", 7);
  const later = [lookup.find("a"), lookup.find("b"), lookup.find("a"), lookup.find("c")];
  gates[0]();
  assert.equal(await first, 1);
  await settle();
  gates[1]();
  assert.deepEqual(await Promise.all(later), [7, 2, 7, undefined]);
  assert.deepEqual(queries, [["a"], ["a", "b", "c"]]);
});

Deno.test("a query that fails fails for those who share it, and not for those who ask later", async () => {
  let broken = true;
  const lookup = new SharedLookup<number>((keys) =>
    broken ? Promise.reject(new Error("cut")) : Promise.resolve(new Map(keys.map((key) => [key, 1])))
  );
  await Promise.all([assert.rejects(lookup.find("a"), /cut/), assert.rejects(lookup.find("b"), /cut/)]);
  broken = false;
  assert.equal(await lookup.find("a"), 1);
});
