import assert from "node:assert/strict";
import { Drain } from "./drain.ts";

Deno.test("a drain waits for what is running and refuses what comes later", async () => {
  const drain = new Drain();
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = drain.track(() => promise);
  let ended = false;
  const end = drain.end(60).then(() => ended = true);
  await assert.rejects(drain.track(() => Promise.resolve()), { code: "busy" });
  assert.equal(ended, false);
  resolve();
  await Promise.all([running, end]);
});

Deno.test("a drain does not wait longer than it may, nor at all when nothing runs", async () => {
  const idle = new Drain();
  await idle.end(60);
  const stuck = new Drain();
  void stuck.track(() => new Promise(() => {}));
  await stuck.end(0.01);
});
