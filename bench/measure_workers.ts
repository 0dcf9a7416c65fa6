/** What a second worker process brings: the same job computed by one and by two. */
import { openBackend } from "../ffi/mod.ts";
import { encryptRows } from "../client/encrypt.ts";
import { newKeys, openSecretKey, type RegisteredModel, SottoClient } from "../client/mod.ts";
import { countWorkers } from "../db/mod.ts";
import { SottoError } from "../errors.ts";
import { makeToken } from "../tests/load/customers.ts";
import { fixture, fixtureRows } from "../tests/support/fixtures.ts";
import {
  type Installation,
  openMigrated,
  startNativeServer,
  startNativeWorker,
} from "../tests/support/native_server.ts";
import { startPostgres } from "../tests/support/postgres.ts";
import { result } from "./results.ts";
import type { Run } from "./suite.ts";

const [ROWS, QUICK_ROWS] = [2000, 300];
/** A small network, of which a row takes some tens of milliseconds. */
const NETWORK = "networks/torch_normed_script";
const ONE_THREAD = { SOTTO_THREADS: "1" };
const POLL_MS = 100;

/** A job, sent as often as wanted. */
interface Sent {
  readonly client: SottoClient;
  readonly model: string;
  readonly keys: string;
  readonly file: Uint8Array;
}

/** Adds the seconds of the job with one and with two workers of one thread each, and their ratio. */
export async function measureWorkers({ quick, log, add }: Run): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  try {
    await using postgres = await startPostgres();
    const installation = { databaseUrl: postgres.url, dataDir };
    const token = await newToken(installation);
    await using server = await startNativeServer(installation, { SOTTO_WORKER: "false", ...ONE_THREAD });
    const job = await prepare(new SottoClient(server.url, token), quick ? QUICK_ROWS : ROWS);
    const seconds: number[] = [];
    for (const workers of [1, 2]) {
      seconds.push(await timeWith(installation, workers, job));
      log(
        `service: a job of ${quick ? QUICK_ROWS : ROWS} rows took ${workers} workers ${seconds.at(-1)!.toFixed(1)} s`,
      );
    }
    add(result("service.one_worker_s", seconds[0], "s"));
    add(result("service.two_workers_s", seconds[1], "s"));
    add(result("service.two_workers_ratio", seconds[1] / seconds[0], "ratio"));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function newToken(installation: Installation): Promise<string> {
  const database = await openMigrated(installation);
  return await makeToken(database, "bench").finally(() => database.close());
}

/** Registers keys and the network, and encrypts rows: those of the fixture over and over. */
async function prepare(client: SottoClient, count: number): Promise<Sent> {
  const backend = openBackend();
  try {
    const { secretFile, files } = await newKeys(backend, { capabilities: ["pack", "lookup2"] });
    using secret = await openSecretKey(backend, secretFile);
    const [keys] = await Promise.all([...files.values()].map((file) => client.registerKeys(file)));
    const model = await importNetwork(client);
    const few = await fixtureRows(`${NETWORK}_rows.csv`, count);
    const rows = Array.from({ length: count }, (_, row) => few[row % few.length]);
    return { client, model: model.id, keys: keys.id, file: (await encryptRows(backend, secret, model, rows)).file };
  } finally {
    backend.close();
  }
}

async function importNetwork(client: SottoClient): Promise<RegisteredModel> {
  const calibration = await fixture(`${NETWORK}_calibration.csv`);
  return await client.importModel({
    name: "normed",
    format: "onnx",
    file: await fixture(`${NETWORK}.onnx`),
    calibration,
  });
}

/** Seconds from the submission until the answers are there, with so many workers that wait for it. */
async function timeWith(installation: Installation, count: number, { client, ...call }: Sent): Promise<number> {
  await using workers = new AsyncDisposableStack();
  for (let number = 0; number < count; number++) workers.use(startNativeWorker(installation, ONE_THREAD));
  await registered(installation, count);
  const start = performance.now();
  await client.predict({ ...call, asJob: true });
  return (performance.now() - start) / 1000;
}

async function registered(installation: Installation, count: number): Promise<void> {
  const database = await openMigrated(installation);
  try {
    for (let attempt = 0; attempt < 600; attempt++) {
      if (await countWorkers(database, "cpu", new Date(0)) === count) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    await database.close();
  }
  throw new SottoError("internal", "the workers did not start: run the suite again");
}
