import assert from "node:assert/strict";
import fc from "fast-check";
import { Gate } from "./gate.ts";

const forever = () => new Promise<void>(() => {});
const settle = () => new Promise((resolve) => setTimeout(resolve, 1));

Deno.test("a full gate refuses with busy and admits again after one has left", async () => {
  const gate = new Gate(1, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = gate.admit("ours", () => promise);
  void gate.admit("theirs", forever);
  await assert.rejects(gate.admit("others", forever), { code: "busy", retryAfter: 1 });
  resolve();
  await first;
  assert.equal(await gate.admit("others", () => Promise.resolve(7)), 7);
});

Deno.test("a tenant over its bound is refused with rate_limited while others still get in", async () => {
  const gate = new Gate(1, 4);
  for (let i = 0; i < 3; i++) void gate.admit("ours", forever);
  await assert.rejects(gate.admit("ours", forever), { code: "rate_limited", retryAfter: 1 });
  void gate.admit("theirs", forever, 1);
  await assert.rejects(gate.admit("theirs", forever, 1), { code: "rate_limited" });
  void gate.admit("others", forever);
  await assert.rejects(gate.admit("others", forever), { code: "busy" });
  assert.deepEqual(gate.depth, { admitted: 5, running: 0, waiting: 0 });
});

Deno.test("refused callers are told to come at the pace at which the tenant's callers leave", async () => {
  let now = 0;
  const gate = new Gate(1, 4, { now: () => now });
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = gate.admit("ours", () => promise, 2);
  now += 40_000;
  resolve();
  await first;
  for (let i = 0; i < 2; i++) void gate.admit("ours", forever, 2);
  const told: number[] = [];
  for (let i = 0; i < 3; i++) await gate.admit("ours", forever, 2).catch(({ retryAfter }) => told.push(retryAfter));
  assert.deepEqual(told, [2, 4, 6]);
});

Deno.test("turns of a tenant are taken in order and never more at a time than allowed", async () => {
  const gate = new Gate(2, 100);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(Array.from({ length: 20 }, (_, index) =>
    gate.turn("ours", async () => {
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
  const first = gate.turn("ours", () => promise);
  const abort = new AbortController();
  const second = gate.turn("ours", forever, abort.signal);
  const third = gate.turn("ours", () => Promise.resolve("third"));
  assert.equal(gate.depth.waiting, 2);
  abort.abort();
  await assert.rejects(second, { code: "cancelled" });
  await assert.rejects(gate.turn("ours", forever, abort.signal), { code: "cancelled" });
  resolve();
  await first;
  assert.equal(await third, "third");
  assert.deepEqual(gate.depth, { admitted: 0, running: 0, waiting: 0 });
});

Deno.test("work that fails gives its place back", async () => {
  const gate = new Gate(1, 0);
  for (let round = 0; round < 3; round++) {
    await assert.rejects(gate.admit("ours", () => gate.turn("ours", () => Promise.reject(new Error("no")))), /no/);
  }
});

/** Clients of a tenant that ask again as soon as they are answered, and what a turn of theirs takes. */
interface Load {
  readonly clients: number;
  readonly ms: () => number;
}

/** Time at the back end that each tenant gets in so many turns, on a clock that only turns move. */
async function served(running: number, turns: number, loads: Record<string, Load>): Promise<Record<string, number>> {
  let now = 0;
  const gate = new Gate(running, 10_000, { now: () => now });
  const times: Record<string, number> = {};
  const inside: { end: number; done: () => void }[] = [];
  let left = turns;
  const client = async (tenant: string, { ms }: Load) => {
    while (left > 0) {
      await gate.turn(tenant, () => {
        if (left-- <= 0) return Promise.resolve();
        const taken = ms();
        times[tenant] = (times[tenant] ?? 0) + taken;
        return new Promise<void>((done) => inside.push({ end: now + taken, done }));
      });
    }
  };
  const clients = Object.entries(loads).flatMap(([tenant, load]) =>
    Array.from({ length: load.clients }, () => client(tenant, load))
  );
  for (;;) {
    for (let step = 0; step < 20; step++) await Promise.resolve();
    if (inside.length === 0) break;
    inside.sort((a, b) => a.end - b.end);
    const { end, done } = inside.shift()!;
    now = end;
    done();
  }
  await Promise.all(clients);
  return times;
}

Deno.test("tenants that saturate the gate get the same time, whatever each of them asks for", () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        running: fc.integer({ min: 1, max: 4 }),
        few: fc.integer({ min: 8, max: 20 }),
        factor: fc.integer({ min: 1, max: 10 }),
        ours: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 }),
        theirs: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 10 }),
      }),
      async ({ running, few, factor, ours, theirs }) => {
        const cycle = (values: number[], i = 0) => () => values[i++ % values.length];
        const times = await served(running, 3000, {
          ours: { clients: few, ms: cycle(ours) },
          theirs: { clients: few * factor, ms: cycle(theirs) },
        });
        const ratio = times.ours / times.theirs;
        assert.ok(ratio > 0.9 && ratio < 1.1, `the ratio of times is ${ratio}`);
      },
    ),
    { numRuns: 50 },
  ));

Deno.test("a tenant that was away neither saved up turns nor lost any", async () => {
  let now = 0;
  const gate = new Gate(1, 100, { now: () => now });
  const order: string[] = [];
  const work = (tenant: string) =>
    gate.turn(tenant, () => {
      order.push(tenant);
      now += 10;
      return Promise.resolve();
    });
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const first = gate.turn("ours", () => held.then(() => void (now += 1000)));
  const all = [first, ...Array.from({ length: 4 }, () => work("ours"))];
  all.push(...Array.from({ length: 4 }, () => work("theirs")));
  release();
  await Promise.all(all);
  assert.deepEqual(order.slice(0, 4), ["theirs", "theirs", "theirs", "theirs"]);
  order.length = 0;
  await Promise.all(Array.from({ length: 3 }, () => [work("ours"), work("theirs")]).flat());
  assert.deepEqual(order, ["ours", "theirs", "ours", "theirs", "ours", "theirs"]);
});
