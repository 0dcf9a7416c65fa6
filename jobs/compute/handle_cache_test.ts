import assert from "node:assert/strict";
import { HandleCache } from "./handle_cache.ts";

class Value {
  closed = false;
  constructor(readonly bytes: number) {}
  close(): void {
    this.closed = true;
  }
}

const make = (bytes = 1) => () => Promise.resolve(new Value(bytes));
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const cacheOf = (capacity: number) => new HandleCache<Value>(capacity, (value) => value.bytes);

Deno.test("simultaneous leases of an absent value make it once", async () => {
  const cache = cacheOf(10);
  let made = 0;
  const slow = async () => {
    made++;
    await settle();
    return new Value(1);
  };
  const [a, b] = await Promise.all([cache.lease("a", slow), cache.lease("a", slow)]);
  assert.equal(made, 1);
  assert.equal(a.value, b.value);
});

Deno.test("the least recently used idle value is closed when the weights exceed the capacity", async () => {
  const cache = cacheOf(2);
  const values: Value[] = [];
  for (const id of ["a", "b", "a", "c"]) {
    using lease = await cache.lease(id, make());
    values.push(lease.value);
  }
  await settle();
  assert.equal(values[0], values[2]);
  assert.deepEqual(values.map(({ closed }) => closed), [false, true, false, false]);
});

Deno.test("a value in use is not closed before it is given back", async () => {
  const cache = cacheOf(1);
  const a = await cache.lease("a", make());
  const b = await cache.lease("b", make());
  cache.drop("b");
  await settle();
  assert.deepEqual([a.value.closed, b.value.closed], [false, false]);
  b[Symbol.dispose]();
  b[Symbol.dispose]();
  await settle();
  assert.deepEqual([a.value.closed, b.value.closed], [false, true]);
  cache.close();
  a[Symbol.dispose]();
  await settle();
  assert.equal(a.value.closed, true);
});

Deno.test("a value that could not be made is made anew the next time", async () => {
  const cache = cacheOf(1);
  await assert.rejects(cache.lease("a", () => Promise.reject(new Error("no"))), /no/);
  using lease = await cache.lease("a", make());
  assert.equal(lease.value.closed, false);
});

Deno.test("a value heavier than the capacity serves its lease and is closed after it", async () => {
  const cache = cacheOf(1);
  const lease = await cache.lease("a", make(5));
  assert.equal(lease.value.closed, false);
  lease[Symbol.dispose]();
  await settle();
  assert.equal(lease.value.closed, true);
});
