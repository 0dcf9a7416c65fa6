import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { startPostgres } from "../tests/support/postgres.ts";
import { ConnectionPool } from "./connection_pool.ts";

const CONNECTIONS = 2;

Deno.test("a pool whose connections die in transactions, or before they begin, has all of them again afterwards", async () => {
  await using server = await startPostgres();
  const pool = new ConnectionPool({ connectionString: server.url, max: CONNECTIONS });
  const database = drizzle(pool);
  const sleepers = Array.from(
    { length: 3 * CONNECTIONS },
    () => database.transaction((transaction) => transaction.execute(sql`select pg_sleep(600)`)),
  );
  const ends = Promise.allSettled(sleepers);
  while (pool.idleCount + pool.totalCount < CONNECTIONS) await new Promise((resolve) => setTimeout(resolve, 10));
  await server.end("SIGKILL");
  assert.deepEqual((await ends).map(({ status }) => status), sleepers.map(() => "rejected"));
  await server.start();
  const all = Array.from(
    { length: 3 * CONNECTIONS },
    () => database.transaction((transaction) => transaction.execute(sql`select 1 as one`)),
  );
  for (const { rows } of await Promise.all(all)) assert.deepEqual(rows, [{ one: 1 }]);
  await pool.end();
});
