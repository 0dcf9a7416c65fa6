/** A whole load run: PostgreSQL, a server with the native kernels, two tenants of unequal size. */
import { openBackend } from "../../ffi/mod.ts";
import { openMigrated, startNativeServer } from "../support/native_server.ts";
import { startPostgres } from "../support/postgres.ts";
import { type Customer, makeCustomer, makeToken } from "./customers.ts";
import { MemoryWatch, type Sample, slopeOf } from "./memory_watch.ts";
import { runClients } from "./run_clients.ts";
import { Tally } from "./tally.ts";

/** What is run. */
export interface LoadOptions {
  /** Of both tenants together. */
  readonly clients: number;
  readonly seconds: number;
  /** Told once when the clients begin. */
  readonly onStart?: () => void;
}

/** What was seen. */
export interface LoadFigures {
  readonly seconds: number;
  readonly clients: number;
  /** Requests by status, 0 for failed connections. */
  readonly statuses: Readonly<Record<number, number>>;
  readonly wrong: number;
  readonly checked: number;
  /** Refusals that did not say when to come again. */
  readonly rude: number;
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of both tenants. */
  readonly rowsPerSecond: number;
  /** What the tenant with few clients gets while the other sends nothing: what it asks for. */
  readonly aloneRowsPerSecond: number;
  /** Rows of the tenant with many clients over rows of the one with few. */
  readonly fairness: number;
  /** Resident bytes of the server, one sample a second. */
  readonly memory: readonly Sample[];
  /** Bytes a second over the last two thirds. */
  readonly memorySlope: number;
}

/** Clients of the large tenant for one of the small. */
const UNEQUAL = 10;
/** Before both send, the tenant with few clients sends alone for this part of the time. */
const ALONE = 20;

/** Room for every client; each tenant may have half of it waiting. */
const settingsFor = (clients: number): Record<string, string> => ({
  SOTTO_QUEUED_PREDICTIONS: String(Math.max(32, Math.ceil(clients / 4))),
  SOTTO_REQUESTS_PER_MINUTE: "1000000",
});

/** Runs it. */
export async function runLoad({ clients, seconds, onStart }: LoadOptions): Promise<LoadFigures> {
  const dataDir = await Deno.makeTempDir();
  await using postgres = await startPostgres({ durable: true });
  const installation = { databaseUrl: postgres.url, dataDir };
  const names = ["small", "large"];
  const tokens = await makeTokens(installation, names);
  using backend = disposable(openBackend({ threads: 1 }));
  try {
    await using server = await startNativeServer(installation, settingsFor(clients));
    const customers: Customer[] = [];
    for (const name of names) customers.push(await makeCustomer(server.url, backend.value, name, tokens[name]));
    onStart?.();
    return await measure(server, customers, clients, seconds);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function makeTokens(installation: Parameters<typeof openMigrated>[0], names: readonly string[]) {
  const database = await openMigrated(installation);
  try {
    const tokens: Record<string, string> = {};
    for (const name of names) tokens[name] = await makeToken(database, name);
    return tokens;
  } finally {
    await database.close();
  }
}

function disposable<T extends { close(): void }>(value: T) {
  return { value, [Symbol.dispose]: () => value.close() };
}

async function measure(
  { url, pid }: { readonly url: string; readonly pid: number },
  customers: readonly Customer[],
  clients: number,
  seconds: number,
): Promise<LoadFigures> {
  const tally = new Tally();
  const few = Math.max(1, Math.round(clients / (UNEQUAL + 1)));
  const [small, large] = customers;
  using watch = new MemoryWatch(pid);
  const crowds = [{ url, customer: small, clients: few }, { url, customer: large, clients: clients - few }];
  const aloneTook = await secondsOf(() => runClients(crowds.slice(0, 1), Math.ceil(seconds / ALONE), tally));
  const aloneRowsPerSecond = tally.rowsOf(small.name) / aloneTook;
  tally.restart();
  const took = await secondsOf(() => runClients(crowds, seconds, tally));
  const rows = customers.map(({ name }) => tally.rowsOf(name));
  const { statuses, wrong, checked, rude } = tally;
  const memory = [...watch.samples];
  return {
    ...{ seconds, clients, statuses, wrong, checked, rude, memory, aloneRowsPerSecond, failures: [...tally.failures] },
    p50Ms: tally.quantile(0.5),
    p99Ms: tally.quantile(0.99),
    rowsPerSecond: (rows[0] + rows[1]) / took,
    fairness: rows[1] / rows[0],
    memorySlope: slopeOf(memory.slice(Math.floor(memory.length / 3))),
  };
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
