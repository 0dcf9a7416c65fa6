import assert from "node:assert/strict";
import { RateLimit, requireAllowed } from "./rate_limit.ts";

/** A counter with a window that starts with its first point and ends after a minute. */
function counter(now: () => number) {
  const state = { count: 0, end: 0, asked: 0 };
  const add = (_key: string, points: number) => {
    state.asked++;
    if (now() >= state.end) Object.assign(state, { count: 0, end: now() + 60_000 });
    const before = state.count;
    state.count += points;
    return Promise.resolve({ before, resetMs: state.end - now() });
  };
  return { state, add };
}

Deno.test("a limit lets as much through as it says, and again when its minute is over", async () => {
  let now = 0;
  const { add, state } = counter(() => now);
  const rate = new RateLimit({ add }, () => now);
  const limited = { key: "ours", unit: "requests", limit: 3 };
  const lefts = [];
  for (let index = 0; index < 3; index++) lefts.push((await rate.take(limited, 1)).left);
  assert.deepEqual(lefts, [2, 1, 0]);
  now = 12_300;
  const refused = await rate.take(limited, 1);
  assert.deepEqual(refused, { unit: "requests", limit: 3, left: 0, resetSeconds: 48, refused: true });
  assert.throws(() => requireAllowed(refused), {
    code: "rate_limited",
    retryAfter: 48,
    message: /3 requests a minute/,
  });
  now = 60_000;
  assert.equal((await rate.take(limited, 1)).refused, false);
  assert.equal(state.asked, 5);
});

Deno.test("a key at its limit is refused without asking the counter until its window ends", async () => {
  const now = 0;
  const { add, state } = counter(() => now);
  const rate = new RateLimit({ add }, () => now);
  const limited = { key: "ours", unit: "requests", limit: 1 };
  await rate.take(limited, 1);
  for (let index = 0; index < 10; index++) assert.equal((await rate.take(limited, 1)).refused, true);
  assert.equal(state.asked, 2);
  assert.equal((await rate.take({ ...limited, key: "theirs" }, 1)).refused, true);
  assert.equal(state.asked, 3);
});

Deno.test("what begins below the limit passes as a whole, so that nothing is too large for an empty window", async () => {
  const rate = new RateLimit({ add: counter(() => 0).add }, () => 0);
  const limited = { key: "ours", unit: "bytes", limit: 100 };
  assert.deepEqual(await rate.take(limited, 5000).then(({ refused, left }) => [refused, left]), [false, 0]);
  assert.equal((await rate.take(limited, 1)).refused, true);
});
