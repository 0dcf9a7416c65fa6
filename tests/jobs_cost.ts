/**
 * What jobs cost beside the computing: `deno run -A tests/jobs_cost.ts` prints, for the embedded database and for PostgreSQL (durable), the milliseconds from the
 * making of a job to its start, and those of a part that takes no time to compute. A server in this process, the plain back end.
 */
import { createApp } from "../app.ts";
import { plainBackend } from "../circuits/plain.ts";
import { readConfig } from "../config.ts";
import { createTenant, createToken, openDatabase } from "../db/mod.ts";
import { openStore } from "../store/mod.ts";
import { makeDataFolder } from "./support/data_folder.ts";
import { fixtureRows, importFixture, registerPair, rowsFile } from "./support/fixtures.ts";
import { startPostgres } from "./support/postgres.ts";
import { call, collect, type TestServer } from "./support/server.ts";

const [JOBS, PARTS] = [30, 100];

async function withRunning(environment: Record<string, string>, work: (server: TestServer) => Promise<void>) {
  const dataDir = await makeDataFolder();
  const config = readConfig({ SOTTO_DATA_DIR: dataDir, SOTTO_PART_ROWS: "1", ...environment });
  const [database, store, backend] = [await openDatabase(config), await openStore(config), plainBackend()];
  const app = createApp({ config, database, store, backend, log: collect([]) });
  await app.start();
  const { id } = await createTenant(database, "ours");
  const { token } = await createToken(database, { tenant: id, scopes: ["admin"], days: 1 });
  const ours = { id, admin: token, predict: token };
  await work({ app, config, database, store, backend, logged: [], ours, theirs: ours });
  await app.drain(1);
  await app.close();
  await database.close();
  await store.close();
  await Deno.remove(dataDir, { recursive: true });
}

async function measure(name: string, server: TestServer): Promise<void> {
  const model = await importFixture(server, "wdbc_xgb50x3.json", "xgboost");
  const pair = await registerPair(server);
  const rows = await fixtureRows("wdbc_rows.csv", PARTS);
  const run = async (count: number) => {
    const body = await rowsFile(server, pair, model, rows.slice(0, count));
    const path = `/v1/models/${model.id}/predictions?key=${pair.id}`;
    const sent = { method: "POST", token: server.ours.admin, body, headers: { prefer: "respond-async" } };
    const { id } = await (await call(server, path, sent)).json();
    for (;;) {
      const job = await (await call(server, `/v1/jobs/${id}`, { token: server.ours.admin })).json();
      if (job.state === "succeeded") return job;
      if (job.state === "failed") throw new Error(JSON.stringify(job));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await run(1);
  const waits: number[] = [];
  for (let job = 0; job < JOBS; job++) {
    const { created_at, started_at } = await run(1);
    waits.push(Date.parse(started_at) - Date.parse(created_at));
  }
  waits.sort((a, b) => a - b);
  const { started_at, finished_at } = await run(PARTS);
  const part = (Date.parse(finished_at) - Date.parse(started_at)) / PARTS;
  console.log(`${name}: start ${waits[JOBS / 2]} ms (median), ${waits.at(-1)} ms (most); a part ${part.toFixed(1)} ms`);
}

await withRunning({}, (server) => measure("embedded", server));
await using postgres = await startPostgres({ durable: true });
await withRunning({ DATABASE_URL: postgres.url }, (server) => measure("PostgreSQL", server));
