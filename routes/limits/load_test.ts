import assert from "node:assert/strict";
import { createTenant, openDatabase } from "../../db/mod.ts";
import { until } from "../../tests/support/until.ts";
import { Load } from "./load.ts";

const keep = (lines: string[]) => (message: string) => void lines.push(message);
const nobody = { inside: () => 0 };

Deno.test("a bound of requests inside holds over servers of one database, and is free again when one of them ends", async () => {
  const dataDir = await Deno.makeTempDir();
  const database = await openDatabase({ dataDir });
  const { id } = await createTenant(database, "ours");
  const logged: string[] = [];
  const log = { info: keep(logged), warn: keep(logged), error: keep(logged) };
  const [first, second] = [1, 2].map(() => new Load(database, log, nobody));
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  try {
    const inside = Array.from({ length: 3 }, () => first.request(id, 3, () => held));
    await assert.rejects(first.request(id, 3, () => held), { code: "rate_limited" });
    await second.request(id, 3, () => Promise.resolve());
    await until(async () => {
      await second.request(id, 4, () => Promise.resolve());
      return second.elsewhere(id).requests === 3;
    });
    assert.deepEqual(second.of(id), { requests: 3, queued: 0 });
    await assert.rejects(second.request(id, 3, () => Promise.resolve()), {
      code: "rate_limited",
      message: /3 requests/,
    });
    release();
    await Promise.all(inside);
    await first.close();
    await until(() => second.request(id, 3, () => Promise.resolve()).then(() => true, () => false));
  } finally {
    await second.close();
    await database.close();
    await Deno.remove(dataDir, { recursive: true });
  }
  assert.deepEqual(logged, []);
});
