import assert from "node:assert/strict";
import { Gate } from "./gate.ts";

const forever = () => new Promise<void>(() => {});
const settle = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("a full gate refuses with busy and admits again after one has left", async () => {
  const gate = new Gate(1, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = gate.admit(() => promise);
  void gate.admit(forever);
  await assert.rejects(gate.admit(forever), { code: "busy" });
  resolve();
  await first;
  assert.equal(await gate.admit(() => Promise.resolve(7)), 7);
});

Deno.test("turns are taken in order and never more at a time than allowed", async () => {
  const gate = new Gate(2, 100);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(Array.from({ length: 20 }, (_, index) =>
    gate.turn(async () => {
      order.push(index);
      most = Math.max(most, ++running);
      await settle();
      running--;
    })));
  assert.equal(most, 2);
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
});

Deno.test("waiting ends with cancelled when the client goes, and its turn goes to the next", async () => {
  const gate = new Gate(1, 100);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = gate.turn(() => promise);
  const abort = new AbortController();
  const second = gate.turn(forever, abort.signal);
  const third = gate.turn(() => Promise.resolve("third"));
  abort.abort();
  await assert.rejects(second, { code: "cancelled" });
  await assert.rejects(gate.turn(forever, abort.signal), { code: "cancelled" });
  resolve();
  await first;
  assert.equal(await third, "third");
});

Deno.test("work that fails gives its place back", async () => {
  const gate = new Gate(1, 0);
  for (let round = 0; round < 3; round++) {
    await assert.rejects(gate.admit(() => gate.turn(() => Promise.reject(new Error("no")))), /no/);
  }
});
